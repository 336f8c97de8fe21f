"""The job `fit`: an honest report of all candidates, and the model that runs."""
