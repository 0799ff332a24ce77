"""Training: seeded, resumable, and loud when it diverges."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import graphad as ga
from graphad.data import Mnist, Source, load_mnist
from graphad.data.mnist import SAMPLE
from graphad.errors import DataError, DivergenceError, OutputFileError
from graphad.train import checkpoint
from graphad.train.loop import Options, Training, evaluate, prepare, train
from graphad.train.recipes import RECIPES, Net, mnist_mlp

OPTIONS = Options(epochs=3, batch_size=50, learning_rate=0.05, seed=7)


@pytest.fixture(scope="module")
def small() -> Mnist:
    data = load_mnist(SAMPLE)
    return Mnist(
        data.train_images[:420], data.train_labels[:420], data.test_images[:90], data.test_labels[:90], data.source
    )


def trained(data: Mnist, options: Options = OPTIONS, name: str = "mnist-rnn") -> Training:
    training = prepare(RECIPES[name], options)
    assert len(list(train(training, data, lambda *_: None))) == options.epochs
    return training


def values(training: Training) -> list[np.ndarray]:
    return [node.value for node in training.state]


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_recipe_learns_the_bundled_sample(name: str) -> None:
    recipe = RECIPES[name]
    training = prepare(recipe, Options(2, recipe.batch_size, recipe.learning_rate))
    epochs = list(train(training, load_mnist(SAMPLE), lambda *_: None))
    assert epochs[1].loss < epochs[0].loss
    assert epochs[1].test_accuracy > 0.6


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(small: Mnist) -> None:
    first, again, other = trained(small), trained(small), trained(small, replace(OPTIONS, seed=8))
    for a, b in zip(values(first), values(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(values(first)[0], values(other)[0])


def test_both_backends_train_alike(small: Mnist) -> None:
    fast, slow = trained(small), trained(small, replace(OPTIONS, backend="reference"))
    for a, b in zip(values(fast), values(slow), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_training_that_is_stopped_and_resumed_ends_where_it_would_have_ended(small: Mnist, tmp_path: Path) -> None:
    whole = trained(small)
    checkpoint.save(trained(small, replace(OPTIONS, epochs=2)), tmp_path / "checkpoint.npz")
    resumed = prepare(RECIPES["mnist-rnn"], OPTIONS)
    checkpoint.restore(resumed, tmp_path / "checkpoint.npz")
    assert [epoch.number for epoch in train(resumed, small, lambda *_: None)] == [3]
    for a, b in zip(values(whole), values(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_resumed_training_draws_what_it_would_have_drawn(small: Mnist, tmp_path: Path) -> None:
    def declare(generator: np.random.Generator) -> Net:
        net = mnist_mlp(generator, hidden=12)
        return replace(net, logits=ga.dropout(net.logits, 0.3) + ga.normal(("batch", 10), std=0.1))

    recipe = replace(RECIPES["mnist-mlp"], declare=declare)
    whole = prepare(recipe, OPTIONS)
    assert len(list(train(whole, small, lambda *_: None))) == 3
    part, resumed = prepare(recipe, replace(OPTIONS, epochs=2)), prepare(recipe, OPTIONS)
    assert len(list(train(part, small, lambda *_: None))) == 2
    checkpoint.save(part, tmp_path / "checkpoint.npz")
    checkpoint.restore(resumed, tmp_path / "checkpoint.npz")
    assert [epoch.number for epoch in train(resumed, small, lambda *_: None)] == [3]
    for a, b in zip(values(whole), values(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_batch_is_told_of_the_last_one_being_the_rest(small: Mnist) -> None:
    told: list[tuple[int, int, int]] = []
    training = prepare(RECIPES["mnist-mlp"], replace(OPTIONS, epochs=1))
    list(train(training, small, lambda epoch, done, of, loss: told.append((epoch, done, of))))
    assert told == [(1, i, 9) for i in range(1, 10)]


def test_weights_that_would_not_be_finite_stop_training_with_the_batch_and_a_remedy(small: Mnist) -> None:
    training = prepare(RECIPES["mnist-rnn"], OPTIONS)
    V = training.net.parameters[3]
    V.value = np.full_like(V.value, np.nan)
    with pytest.raises(
        DivergenceError, match=r"batch 1 of epoch 1, learning rate 0\.05: the new value of <U: .*> would not be finite"
    ):
        list(train(training, small, lambda *_: None))


def test_evaluation_weighs_the_last_smaller_batch_rightly(small: Mnist) -> None:
    training = trained(small)
    images, labels = np.repeat(small.test_images, 13, axis=0), np.repeat(small.test_labels, 13)
    assert evaluate(training, images, labels) == pytest.approx(evaluate(training, small.test_images, small.test_labels))


def test_a_damaged_missing_or_foreign_checkpoint_changes_nothing(small: Mnist, tmp_path: Path) -> None:
    training = prepare(RECIPES["mnist-rnn"], OPTIONS)
    before = values(training)
    with pytest.raises(DataError, match=r"no checkpoint .* to resume from"):
        checkpoint.restore(training, tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(DataError, match="no checkpoint of this net"):
        checkpoint.restore(training, tmp_path / "bad.npz")
    checkpoint.save(prepare(RECIPES["mnist-mlp"], OPTIONS), tmp_path / "other.npz")
    with pytest.raises(DataError, match="no checkpoint of this net"):
        checkpoint.restore(training, tmp_path / "other.npz")
    for a, b in zip(before, values(training), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputFileError, match="cannot be written"):
        checkpoint.save(prepare(RECIPES["mnist-mlp"], OPTIONS), tmp_path / "file" / "checkpoint.npz")


def test_no_data_source_is_needed_but_arrays() -> None:
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (60, 28, 28)).astype("uint8"), random.integers(0, 10, 60).astype("uint8")
    data = Mnist(images, labels, images, labels, Source("folder", "here", "made up"))
    assert trained(data, replace(OPTIONS, epochs=1)).epochs_done == 1
