"""Train a linear and a ReLU network on two concentric circles, and compare them.

python train.py                             # the defaults
python train.py --epochs 1000 --lr 0.05     # other settings; --help lists them
python train.py --data spirals --classes 3  # other data, or a CSV file of your own
python train.py --animate                   # a film of the training, too
python train.py --resume                    # go on with a run that was stopped
"""

if __name__ == "__main__":
    import support.program  # noqa: F401 - Ctrl-C ends it with a sentence, even while it loads

import math
from itertools import islice
from typing import NamedTuple

import torch
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split
from torch import nn

from model import CircleModelV0, CircleModelV2
from support.checks import check_labels, check_settings, check_split, fill_in, keywords_of
from support.datasets import make_points, mean_and_std
from support.modes import modes_put_back
from support.threads import threads_for

# The data


class Data(NamedTuple):
    """Points of shape (n, 2), float32, and their labels of shape (n, 1).

    Labels of two classes are float32 zeros and ones, for BCEWithLogitsLoss; labels of more classes
    are int64, from 0 on, for CrossEntropyLoss.
    """

    X_train: torch.Tensor
    y_train: torch.Tensor
    X_test: torch.Tensor
    y_test: torch.Tensor
    class_names: tuple[str, ...] = ("class 0", "class 1")
    feature_names: tuple[str, str] | None = None  # of a file's columns
    standardize: tuple | None = None  # mean and standard deviation of the training points, then

    def map(self, function) -> "Data":
        """Return the data with a function applied to each of the four tensors."""
        return Data(*map(function, self[:4]), *self[4:])

    def to(self, device) -> "Data":
        return self.map(lambda tensor: tensor.to(device))


def make_data(
    *,
    data: str = "circles",
    samples: int | None = None,
    noise: float | None = None,
    factor: float | None = None,
    classes: int | None = None,
    features: str | None = None,
    label: str | None = None,
    test_size: float = 0.2,
    seed: int = 42,
) -> Data:
    """Make one of the data sets, or read a CSV file, and split it into a train and a test set.

    None stands for the data set's own default. The outer circle has radius 1, the inner one radius
    `factor`, and is class 1; `noise` is the standard deviation of the Gaussian added to each
    coordinate. The split keeps the classes in equal parts. Raises a ValueError for a setting that
    the data set doesn't have, and for a file as `support.csv_file.read_csv` does.
    """
    given = dict(samples=samples, noise=noise, factor=factor, classes=classes)
    own = fill_in(dict(data=data, features=features, label=label) | given)
    check_settings(**own, test_size=test_size, seed=seed)
    class_names, feature_names, standardize = ("class 0", "class 1"), None, None
    if data == "circles":
        noise = own["noise"] or None
        X, y = make_circles(own["samples"], noise=noise, factor=own["factor"], random_state=seed)
        class_names = ("outer circle", "inner circle")
    else:
        X, y, class_names, feature_names = make_points(own, seed)
    check_split(len(y), len(class_names), test_size)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y.reshape(-1, 1), test_size=test_size, stratify=y, random_state=seed
    )
    if feature_names:  # columns of a file may have any units
        standardize = mean_and_std(X_train, feature_names)
    X_train, X_test = (torch.from_numpy(points).float() for points in (X_train, X_test))
    kind = torch.float32 if len(class_names) == 2 else torch.int64
    y_train, y_test = (torch.from_numpy(labels).to(kind) for labels in (y_train, y_test))
    return Data(X_train, y_train, X_test, y_test, class_names, feature_names, standardize)


# The loss, and the loop that makes it small


def loss_function(y, reduction="mean"):
    """Return the loss of logits that goes with labels y, by which `Data` tells the cases apart."""
    if y.is_floating_point():  # two classes, one logit: the loss puts a sigmoid on it
        return nn.BCEWithLogitsLoss(reduction=reduction)
    cross_entropy = nn.CrossEntropyLoss(reduction=reduction)  # a logit a class, and softmax on them
    return lambda logits, y: cross_entropy(logits.flatten(0, -2), y.flatten())


class Training:
    """A model in training by stochastic gradient descent. Iterating over it trains the model.

        for training in Training(model, data):
            print(training.epoch, training.step)

    It hands back control after every step and at the end of every epoch, so that whoever iterates
    can look on, save, draw or stop. `epoch` counts the epochs that are over, `step` the steps of
    the one that isn't. `history` has the keys epoch, train_loss, test_loss, train_acc and test_acc
    (fractions), with an entry every `record_every` epochs and one at the last. `batch_size` None is
    the full batch; `seed` sets the order of the batches.

    Raises a ValueError for a setting out of range and for labels that are none of the data's
    classes, and a FloatingPointError if the loss is no longer finite.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        *,
        epochs: int = 300,
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        batch_size: int | None = None,
        seed: int = 42,
        record_every: int = 10,
    ):
        check_settings(epochs=epochs, lr=lr, momentum=momentum, weight_decay=weight_decay)
        check_settings(batch_size=batch_size, seed=seed, record_every=record_every)
        for labels in (data.y_train, data.y_test):
            check_labels(labels, len(data.class_names))
        self.model, self.data, self.name = model, data, type(model).__name__
        self.epochs, self.batch_size, self.record_every = epochs, batch_size, record_every
        self.loss_fn = loss_function(data.y_train)
        self.optimizer = torch.optim.SGD(
            model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay, fused=True
        )
        self.generator = torch.Generator().manual_seed(seed)  # of the order of the batches
        self.order = self.generator.get_state()  # as it was when the epoch began
        self.epoch, self.step = 0, 0
        self.history = dict(epoch=[], train_loss=[], test_loss=[], train_acc=[], test_acc=[])

    def __iter__(self):
        if self.step > 0:  # go on within an epoch
            self.generator.set_state(self.order)
        while self.epoch < self.epochs:
            yield from self.steps()
            self.epoch, self.step = self.epoch + 1, 0
            if self.epoch % self.record_every == 0 or self.epoch == self.epochs:
                self.record()
            yield self

    def steps(self):
        """Take the steps of an epoch: one on each batch."""
        self.model.train()
        for X, y in islice(self.batches(), self.step, None):
            logits = self.model(X)
            loss = self.loss_fn(logits, y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.step += 1
            yield self

    def batches(self):
        """Yield all training points and their labels once, at most `batch_size` at a time."""
        X, y = self.data.X_train, self.data.y_train
        if self.batch_size is not None and self.batch_size < X.shape[-2]:
            self.order = self.generator.get_state()
            X, y = self.shuffle(X, y)
        yield from zip(cut(X, self.batch_size), cut(y, self.batch_size), strict=True)

    def shuffle(self, X, y):
        """Return all points and their labels in a new random order."""
        order = torch.randperm(len(X), generator=self.generator).to(X.device, non_blocking=True)
        return X[order], y[order]

    def record(self):
        """Add the losses and the accuracies on both sets to the history."""
        train_loss, train_acc = self.evaluate(self.data.X_train, self.data.y_train)
        test_loss, test_acc = self.evaluate(self.data.X_test, self.data.y_test)
        entry = (self.epoch, train_loss, test_loss, train_acc, test_acc)
        for values, value in zip(self.history.values(), entry, strict=True):
            values.append(value)
        one_model = isinstance(train_loss, float)  # of many, some may overflow
        if one_model and not math.isfinite(train_loss + test_loss):
            used = self.optimizer.param_groups[0]
            raise FloatingPointError(
                f"The loss of {self.name} must be finite; by epoch {self.epoch} it was "
                f"{train_loss}. Try a smaller learning rate, momentum or weight decay than "
                f"{used['lr']}, {used['momentum']} and {used['weight_decay']}."
            )

    def evaluate(self, X, y):
        return evaluate(self.model, X, y)

    def state_dict(self) -> dict:
        """Return all that the rest of the training depends on."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "order": self.order if self.step > 0 else self.generator.get_state(),
            "random": torch.get_rng_state(),  # Dropout draws from it
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from where another training of the same model, data and settings was."""
        self.epoch, self.step, self.history = state["epoch"], state["step"], state["history"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.order = state["order"]
        self.generator.set_state(self.order)
        torch.set_rng_state(state["random"])


def train(model: nn.Module, data: Data, **settings) -> dict[str, list]:
    """Train a model in place and return its history; settings and errors are `Training`'s."""
    training = Training(model, data, **settings)
    with threads_for(model, data.X_train):
        for _ in training:
            pass
    return training.history


def cut(points, batch_size):
    """Cut points (..., n, 2) into batches of at most `batch_size`, whose sizes differ by one."""
    n = points.shape[-2]
    return points.tensor_split(math.ceil(n / min(batch_size or n, n)), dim=-2)


# How good a model is


def evaluate(model, X, y, *, batch_size=None, training=False):
    """Return a model's mean loss and accuracy (a fraction) on points X (n, 2) and labels y (n, 1).

    `training=True` evaluates in train mode, as if `model.eval()` had been forgotten: it then draws
    random numbers for Dropout and moves BatchNorm's running statistics. For an ensemble, with X of
    shape (models, n, 2), both are lists with a value for each model.
    """
    if batch_size is None and not training:
        batch_size = 100_000  # the result is the same, and memory stays small
    loss_fn, total_loss, right = loss_function(y, reduction="none"), 0, 0
    with modes_put_back(model), threads_for(model, X), torch.inference_mode():
        if training:
            model.train()
        else:
            model.eval()
        for points, labels in zip(cut(X, batch_size), cut(y, batch_size), strict=True):
            logits = model(points)
            check_labels(labels, max(2, logits.shape[-1]))
            losses = loss_fn(logits, labels).reshape(labels.shape)
            total_loss = total_loss + losses.double().sum(dim=(-2, -1))
            right = right + (predict(logits) == labels).double().sum(dim=(-2, -1))
    return (total_loss / y.shape[-2]).tolist(), (right / y.shape[-2]).tolist()


def predict(logits):
    """Return the likeliest class of logits (n, 1) of two classes, or (n, k), in shape (n, 1)."""
    if logits.shape[-1] == 1:
        return logits > 0  # the same as torch.sigmoid(logits) > 0.5
    return logits.argmax(dim=-1, keepdim=True)  # as softmax keeps the order


# The experiment


def build(model_class: type, settings: dict, data: Data | None = None) -> nn.Module:
    """Return a model on the CPU, with the initial weights that belong to the settings' seed.

    It has an output for each class of the data; without any, the one output of two classes.
    """
    torch.manual_seed(settings["seed"])
    arguments = keywords_of(model_class, settings)
    if data is not None:
        classes = len(data.class_names)
        arguments |= dict(out_features=1 if classes == 2 else classes, standardize=data.standardize)
    return model_class(**arguments)


def compare_models(data: Data, settings: dict, training_class=Training):
    """Yield a training of each model, from the same initial weights and on the same batches.

    Iterate over each of them before the next one is asked for: they share torch's random state.
    """
    for model_class in (CircleModelV0, CircleModelV2):
        model = build(model_class, settings, data).to(data.X_train.device)
        yield training_class(model, data, **keywords_of(Training, settings))


if __name__ == "__main__":
    from lab.command_line import main

    main()
