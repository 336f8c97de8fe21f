"""Proof that a way to combine models keeps its contract.

Shape letters as in `vidfit.contracts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vidfit.contracts import Cost, Floats, Indices
from vidfit.errors import ModelError
from vidfit.features.pool import temporal_statistics
from vidfit.fusion import METHODS, Fitted, Training, fit_method, restore
from vidfit.fusion.arrays import check_arrays
from vidfit.fusion.nested import training_of

TOLERANCE = 1e-4
"""Largest difference between answers that should be equal.

Float32 sums may be taken in another order for another batch size."""


def check_fusion(method: str) -> None:
    """Prove that a method of `vidfit.fusion.METHODS` keeps the contract of a fusion.

    On small seeded problems: answers are log-probabilities, also with two classes and with a
    class that only one fold has; those to a fold do not depend on its labels; fitting repeats
    and alters nothing; a clip is answered alone as among others; novelty is about 1 on training
    clips and more on clips far from them; the head comes back from its arrays unchanged. Takes
    five fits on 40 clips.

    Parameters
    ----------
    method
        Key of `vidfit.fusion.METHODS`.

    Raises
    ------
    ModelError
        Says which promise is broken.
    """
    if method not in METHODS:
        raise ModelError(f"Unknown fusion {method!r}; there are {', '.join(METHODS)}.")
    training = _small_problem(classes=4)
    before = _arrays(training)
    fitted = fit_method(method, training)
    unaltered = all(map(np.array_equal, before, _arrays(training)))
    _promise(method, unaltered, "fitting altered what it was given")
    _check_answers(method, fitted, training)
    _check_novelty(method, fitted, training)
    _check_state(method, fitted, training)
    _check_repeats(method, fitted, training)
    _check_held_out(method, fitted, training)
    for other in (_small_problem(classes=2), _small_problem(classes=4, rare=True)):
        _check_answers(method, fit_method(method, other), other)


def training_on(tokens: Sequence[Floats], labels_M: Indices, folds_M: Indices) -> Training:
    """Return what a fusion is fitted on, with a linear probe for each member.

    Parameters
    ----------
    tokens
        What each member saw in the clips, [M, N, D_i], N tokens in time order.
    labels_M
        Class numbers 0..K-1.
    folds_M
        The fold of each clip.
    """
    return training_of(
        [np.stack([temporal_statistics(tokens_ND) for tokens_ND in of]) for of in tokens],
        labels_M,
        folds_M,
        costs=[Cost(0.0, 0.0) for _ in tokens],
    )


def _small_problem(classes: int, rare: bool = False) -> Training:
    """Return 40 clips that three members see through noise; a rare class is in one fold only."""
    rng = np.random.default_rng(0)
    folds_M = np.repeat(np.arange(5), 8)
    labels_M = np.arange(40) % classes
    if rare:
        labels_M[(labels_M == classes - 1) & (folds_M > 0)] = 0
    tokens = []
    for dim in (4, 6, 30):
        centres_MD = rng.normal(size=(classes, dim))[labels_M]
        noise_MND = rng.normal(size=(40, 5, dim))
        own_MD = 3.5 * rng.normal(size=(40, dim))
        tokens.append((centres_MD + own_MD)[:, None].astype(np.float32) + noise_MND)
    return training_on([part.astype(np.float32) for part in tokens], labels_M, folds_M)


def _blocks(fitted: Fitted, training: Training) -> list[Floats]:
    """Return what the fitted head looks at: the vectors of the members that it asks."""
    return [training.members[i].vectors_MD for i in fitted.used]


def _arrays(training: Training) -> list[Floats | Indices]:
    """Return copies of all arrays of a training."""
    arrays: list[Floats | Indices] = [training.labels_M, training.folds_M]
    for member in training.members:
        arrays += [member.vectors_MD, member.out_of_fold_MK, *member.probe.state().values()]
    return [array.copy() for array in arrays]


def _check_answers(method: str, fitted: Fitted, training: Training) -> None:
    count, used = len(training.members), fitted.used
    valid = bool(used) and len(set(used)) == len(used) and set(used) <= set(range(count))
    _promise(method, valid, f"used is {used} of {count} members")
    blocks = _blocks(fitted, training)
    answer_MK = fitted.fusion.log_probabilities(blocks)
    shape = (len(training.labels_M), training.classes)
    for what, found_MK in (("answers", answer_MK), ("out-of-fold answers", fitted.out_of_fold_MK)):
        right = found_MK.shape == shape and found_MK.dtype == np.float32
        _promise(
            method, right, f"{what} are {found_MK.dtype} {found_MK.shape}, not float32 {shape}"
        )
        _promise(method, bool(np.isfinite(found_MK).all()), f"{what} are not finite")
        error = float(np.abs(np.exp(found_MK).sum(axis=1) - 1.0).max())
        _promise(method, error < TOLERANCE, f"probabilities of {what} miss 1 by {error:.2g}")
    alone_1K = fitted.fusion.log_probabilities([block[7:8] for block in blocks])
    same = np.allclose(alone_1K, answer_MK[7:8], rtol=TOLERANCE, atol=TOLERANCE)
    _promise(method, same, "a clip alone is answered otherwise than among others")


def _check_novelty(method: str, fitted: Fitted, training: Training) -> None:
    blocks = _blocks(fitted, training)
    novelty_M = fitted.fusion.novelty(blocks)
    _promise(method, novelty_M.shape == training.labels_M.shape, f"novelty is {novelty_M.shape}")
    mean = float(novelty_M.mean())
    _promise(method, 0.8 < mean < 1.25, f"novelty of training clips is {mean:.2g} on average")
    far = fitted.fusion.novelty([block + 20 * block.std(axis=0) for block in blocks])
    _promise(method, bool((far > novelty_M.max()).all()), "clips far away are not novel")


def _check_state(method: str, fitted: Fitted, training: Training) -> None:
    from safetensors.numpy import load, save

    state = fitted.fusion.state()
    for name, array in state.items():
        _promise(method, array.dtype == np.float32, f"state {name!r} is {array.dtype}")
    head, blocks = METHODS[method].head, _blocks(fitted, training)
    read = load(save(state))
    restored = restore(head, read)
    for ask in ("log_probabilities", "novelty"):
        found, wanted = (getattr(head, ask)(blocks) for head in (restored, fitted.fusion))
        _promise(method, np.array_equal(found, wanted), f"restored, it gives other {ask}")
    check_arrays(head, read, [block.shape[1] for block in blocks], training.classes)


def _check_repeats(method: str, fitted: Fitted, training: Training) -> None:
    again = fit_method(method, training)
    same = np.array_equal(again.out_of_fold_MK, fitted.out_of_fold_MK)
    _promise(method, same, "fitted again, it gives other out-of-fold answers")
    first, second = fitted.fusion.state(), again.fusion.state()
    same = first.keys() == second.keys() and all(
        np.array_equal(array, second[name]) for name, array in first.items()
    )
    _promise(method, same, "fitted again, it has another state")


def _check_held_out(method: str, fitted: Fitted, training: Training) -> None:
    """Alter the label of one clip: the answers to its fold stay, given the members' answers.

    One clip, so that choices that are made over all folds, such as that of a penalty, stay, too.
    """
    labels_M = training.labels_M.copy()
    labels_M[20] = (labels_M[20] + 1) % training.classes
    moved = replace(training, labels_M=labels_M, memory={}, paths={})
    moved_MK = fit_method(method, moved).out_of_fold_MK
    own = training.folds_M == training.folds_M[20]
    same = np.allclose(moved_MK[own], fitted.out_of_fold_MK[own], atol=TOLERANCE)
    _promise(method, same, "out-of-fold answers depend on the labels of their own fold")


def _promise(method: str, kept: bool, complaint: str) -> None:
    if not kept:
        raise ModelError(f"The contract of a fusion is broken by {method!r}: {complaint}.")
