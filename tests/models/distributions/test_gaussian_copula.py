"""Scores that hang together: each stays normal, and likelihood finds what draws have."""

import math

import pytest
import torch

from simulacra.models.distributions.gaussian_copula import GaussianCopula

SCORES, CONTEXT = 4, 2


@pytest.fixture(scope="module")
def copula():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        found = GaussianCopula(SCORES, CONTEXT, 2, 8)
        torch.nn.init.normal_(found.mixed)
    return found.requires_grad_(False)


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(2))


def test_scores_are_standard_normal_and_correlated_as_the_context_says(copula):
    white = normal(40_000, SCORES)
    correlations = []
    for context in ([0.0, 0.0], [2.0, -1.0]):
        scores = copula.drawn(white, torch.tensor([context]).expand(len(white), -1))
        assert torch.allclose(scores.std(dim=0), torch.ones(SCORES), atol=0.02)
        correlations.append(torch.corrcoef(scores.mT))
    assert (correlations[0] - torch.eye(SCORES)).abs().max() > 0.3
    assert (correlations[0] - correlations[1]).abs().max() > 0.1


def test_errors_are_those_of_the_normal_distribution_that_draws_have(copula):
    """Of the known scores alone, whichever they are."""
    context = torch.tensor([[1.0, 0.5]])
    mixing = copula.drawn(torch.eye(SCORES), context.expand(SCORES, -1)).mT
    covariance = mixing @ mixing.mT
    scores = normal(1, SCORES)
    for known in ([True] * 4, [True, False, True, True], [False, False, False, True]):
        has = torch.tensor(known)
        part = torch.distributions.MultivariateNormal(
            torch.zeros(int(has.sum())), covariance[has][:, has]
        )
        independent = -(scores[0, has].square() + math.log(2 * math.pi)).sum() / 2
        expected = independent - part.log_prob(scores[0, has])
        found = copula.errors(scores, has[None], context)[0]
        assert found.item() == pytest.approx(expected.item(), abs=0.02)


def test_no_known_score_is_no_error(copula):
    none = torch.zeros(3, SCORES, dtype=torch.bool)
    errors = copula.errors(normal(3, SCORES), none, torch.zeros(3, CONTEXT))
    assert torch.equal(errors, torch.zeros(3))


@pytest.mark.slow
def test_training_finds_a_correlation():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        copula = GaussianCopula(2, 1, 1, 4)
    white = normal(4000, 2)
    scores = torch.stack([white[:, 0], 0.8 * white[:, 0] + 0.6 * white[:, 1]], dim=1)
    known, context = torch.ones_like(scores, dtype=torch.bool), torch.zeros(len(scores), 1)
    optimiser = torch.optim.Adam(copula.parameters(), lr=0.05)
    for _ in range(100):
        loss = copula.errors(scores, known, context).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() == pytest.approx(math.log(0.6), abs=0.02)
    drawn = copula.drawn(normal(20_000, 2), torch.zeros(20_000, 1)).detach()
    assert torch.corrcoef(drawn.mT)[0, 1].item() == pytest.approx(0.8, abs=0.02)
