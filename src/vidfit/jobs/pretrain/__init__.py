"""The job `pretrain`: a language model learned from texts, beside what needs no learning."""
