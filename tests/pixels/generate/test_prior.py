import numpy as np
import torch
from tests.pixels.generate.clips import SIZES

from vidfit.pixels.generate.prior import FlowTrainee, LatentFlow, Posteriors
from vidfit.pixels.learn import StepBudget, learn


def ring(count, seed):
    """Return latents on a ring, which no normal cloud fits."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, count)
    mean = torch.from_numpy(rng.normal(size=(count, SIZES.latent)).astype(np.float32))
    mean[:, 0] = torch.from_numpy(np.cos(angle).astype(np.float32)) * 3
    mean[:, 4] = torch.from_numpy(np.sin(angle).astype(np.float32)) * 3
    return Posteriors(mean, torch.full_like(mean, -6.0), rng.integers(0, 2, count))


def test_a_flow_learns_where_latents_lie():
    torch.manual_seed(0)
    flow = LatentFlow(SIZES)
    trainee = FlowTrainee(flow, ring(400, 0), ring(100, 1), 2)
    learn(trainee, StepBudget(steps=250), run="x")
    trainee.finish()
    torch.manual_seed(1)
    drawn = flow.draw(torch.eye(2).repeat(150, 1))
    radius = drawn[:, [0, 4]].norm(dim=1)
    assert float((radius < 1.5).float().mean()) < 0.1  # of a cloud with that spread: 0.22


def test_the_weights_that_were_best_on_other_recordings_are_kept():
    torch.manual_seed(0)
    flow = LatentFlow(SIZES)
    trainee = FlowTrainee(flow, ring(12, 0), ring(200, 1), 2)
    learn(trainee, StepBudget(steps=200), run="x")

    def nats():
        with torch.no_grad():
            return -float(flow.log_density(trainee._watched_NL, trainee._watched_NK).mean())

    last = nats()
    best = trainee.finish()
    assert best < last
    said = nats()
    assert abs(said - best) < 1e-3


def test_an_interrupted_flow_goes_on_to_the_bit(tmp_path):
    def trained(folder, stops):
        torch.manual_seed(0)
        flow = LatentFlow(SIZES)
        trainee = FlowTrainee(flow, ring(40, 0), ring(40, 1), 2)
        asked = iter(stops)
        done = learn(
            trainee, StepBudget(steps=60), run="x", folder=folder, stop=lambda: next(asked, False)
        )
        if done is None:
            return trained(folder, [])
        trainee.finish()
        return flow.state_dict()

    whole = trained(tmp_path / "a", [])
    parts = trained(tmp_path / "b", [False] * 54 + [True])
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
