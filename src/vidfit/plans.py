"""The answer to "how do I spend my compute?": what is trained, how it fits, how it learns.

A `Plan` is fully resolved: nothing in it is left to be found out, and each choice bears its
reason. It can be saved as ``plan.json``, edited, and run by `train`. Times are seconds, sizes
bytes, unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Regime = Literal["probe", "lp-ft", "lora", "full"]
"""Which weights learn: those of the head, the head's and then all, low-rank additions, all."""

Precision = Literal["fp32", "bf16", "fp16"]
Sharding = Literal["none", "dp", "ddp", "fsdp"]
OptimizerName = Literal["adamw", "sgd"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is trained: a network over what a backbone sees, or over frames themselves.

    Parameters
    ----------
    network
        Key of ``vidfit.networks.NETWORKS``.
    backbone
        As `vidfit.backbones.load` takes it; empty for a network that sees frames itself.
    regime
        ``"probe"`` trains on the backbone's cached tokens; the others run the backbone.
    width, layers, heads
        Size of the network: its hidden width, how deep it is, attention heads.
    vocabulary
        Text tokens that the network reads beside frames, padding included; 0 reads no words. In a
        plan it is the most that the clips can give, in a run what they gave.
    """

    network: str
    backbone: str
    regime: Regime = "probe"
    width: int = 256
    layers: int = 1
    heads: int = 4
    vocabulary: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """How a step is computed; it changes time and memory, not what is learned.

    Parameters
    ----------
    micro_batch
        Clips that one process computes at once.
    accumulation
        Micro-batches of one process whose gradients are added up before a step: a step sees
        ``micro_batch * accumulation * processes`` clips.
    checkpointing
        Whether activations of the backbone's blocks are computed again in the backward pass
        instead of kept (Chen et al. 2016).
    sharding
        ``"ddp"`` keeps all weights in each process, ``"fsdp"`` a share of them (FSDP2); ``"dp"``
        is one process for all devices, which is slower than ``"ddp"`` and here for completeness.
    processes
        Over all machines, as torchrun starts them.
    loader_workers
        Processes that read and mix clips, for each training process; 0 reads between steps.
    shard_clips
        Clips of one shard of the data set, where it is read from shards.
    """

    micro_batch: int = 8
    accumulation: int = 1
    precision: Precision = "fp32"
    checkpointing: bool = False
    sharding: Sharding = "none"
    processes: int = 1
    loader_workers: int = 0
    shard_clips: int = 256

    @property
    def batch_clips(self) -> int:
        """Clips of one optimizer step."""
        return self.micro_batch * self.accumulation * self.processes


@dataclass(frozen=True, slots=True)
class Recipe:
    """How it learns; the same on one process or many.

    Parameters
    ----------
    epochs
        Passes over the training clips.
    learning_rate
        At the end of the warm-up, for a step of the layout's batch; falls to zero by a cosine
        (Loshchilov and Hutter 2017).
    warmup_share
        Share of the run, in [0, 1), over which the rate rises from zero.
    weight_decay
        Not applied to norms and biases.
    layer_decay
        Factor on the rate from a layer of the backbone to the one before it, in (0, 1].
    clip_norm
        Largest L2 norm of a gradient; 0 leaves it as it is.
    dropout, drop_path
        Shares in [0, 1) of units, and of residual branches, that are left out in training.
    label_smoothing
        Share in [0, 1) of the target that is spread over all classes (Szegedy et al. 2016).
    mixup
        Parameter of the beta distribution that pairs of clips are mixed by (Zhang et al. 2018);
        0 mixes nothing.
    ema
        Decay a step of the moving average of weights that is kept and used; 0 keeps none.
    batch_schedule
        Pairs of (share of the run, factor): from there on a step sees that multiple of the layout's
        batch, with the rate scaled to match. ``((0, 1),)`` is a constant batch.
    patience
        Epochs without a better score on the validation clips after which it stops; 0 never.
    deterministic
        Whether operations that may differ from run to run are refused.
    unlabelled_ratio
        Clips without a label that a step sees for each one with, taught by the moving average of
        the weights (`vidfit.training.teacher`); 0 learns from labels alone.
    threshold
        Least probability, in (0, 1], from which on the average's answer to a clip without a label
        is taken as its label.
    """

    optimizer: OptimizerName = "adamw"
    epochs: int = 30
    learning_rate: float = 1e-3
    warmup_share: float = 0.1
    weight_decay: float = 0.05
    layer_decay: float = 1.0
    clip_norm: float = 1.0
    dropout: float = 0.1
    drop_path: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    ema: float = 0.0
    batch_schedule: tuple[tuple[float, float], ...] = ((0.0, 1.0),)
    patience: int = 0
    seed: int = 0
    deterministic: bool = False
    unlabelled_ratio: int = 0
    threshold: float = 0.95

    @property
    def passes(self) -> float:
        """What a step computes, in forward and backward passes of its clips with a label.

        A clip without a label is answered first: a forward pass is a third of both (Kaplan et al.
        2020).
        """
        return 1 + self.unlabelled_ratio * (1 + 1 / 3)


@dataclass(frozen=True, slots=True)
class Data:
    """What a plan must know of the clips.

    Parameters
    ----------
    clips, classes
        How many there are.
    rarest
        Clips of the rarest class.
    tokens
        Tokens of a clip, as the backbone gives them.
    read_seconds
        To read one clip as training wants it, in one thread.
    unlabelled
        Clips without a label that are learned from as well.
    """

    clips: int
    classes: int
    rarest: int
    tokens: int
    read_seconds: float = 0.0
    unlabelled: int = 0


@dataclass(frozen=True, slots=True)
class Machine:
    """What trains: this machine as it was probed, or one that was described.

    Parameters
    ----------
    device
        ``"cpu"`` or ``"cuda"``.
    devices
        Graphics processors; 1 for a CPU.
    memory_bytes
        That training may use, for each device.
    flops_per_second
        Sustained by a large matrix product at each precision that pays, for each device.
    bandwidth_bytes_per_second
        Of a device's memory.
    cores
        For reading clips.
    described
        Whether it was described and not probed: times on it are estimates.
    """

    name: str
    device: Literal["cpu", "cuda"]
    devices: int
    memory_bytes: int
    flops_per_second: dict[str, float]
    bandwidth_bytes_per_second: float
    cores: int
    described: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a layout is predicted to take, in each process.

    Parameters
    ----------
    peak_bytes
        What training takes at most beside the process itself: parameters, gradients, optimizer
        state, activations and inputs; on this machine also code, kernels and holes in the heap.
    step_seconds
        Of an optimizer step, without waiting for data.
    waiting_share
        Share of a step, in [0, 1), in which it waits for data.
    total_seconds
        Of the whole run.
    """

    peak_bytes: int
    step_seconds: float
    waiting_share: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class PlanOption:
    """One layout that was considered; ``refused`` says why it cannot run, or is empty."""

    layout: Layout
    predicted: Prediction
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A training run, resolved.

    Parameters
    ----------
    reasons
        By field of `Subject`, `Layout` or `Recipe`, why it has its value.
    options
        Layouts that were considered, the chosen one first.
    room_bytes
        What training may take in a process: the memory less a margin and what the process itself
        takes.
    """

    subject: Subject
    layout: Layout
    recipe: Recipe
    predicted: Prediction
    data: Data
    machine: Machine
    reasons: dict[str, str] = field(default_factory=dict)
    options: tuple[PlanOption, ...] = ()
    room_bytes: int = 0
    warnings: tuple[str, ...] = ()


def unplanned(subject: Subject, recipe: Recipe, data: Data, micro_batch: int = 16) -> Plan:
    """Return a plan that predicts nothing: of a network so small that it fits any machine."""
    machine = Machine("this one", "cpu", 1, 0, {}, 0.0, 1)
    return Plan(subject, Layout(micro_batch), recipe, Prediction(0, 0.0, 0.0, 0.0), data, machine)
