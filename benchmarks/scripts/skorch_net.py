"""Train both networks with skorch."""

import torch
from common import EPOCHS, LR, MOMENTUM, NAMES, OUT, RECORD_EVERY, draw, make_data, report
from common_torch import network
from skorch import NeuralNetBinaryClassifier
from skorch.callbacks import Callback
from torch import nn


class Record(Callback):
    def __init__(self, data, history):
        self.data, self.history = data, history

    def on_epoch_end(self, net, **kwargs):
        epoch = len(net.history)
        if epoch % RECORD_EVERY == 0:
            X_train, X_test, y_train, y_test = self.data
            (train_loss, train_acc), (test_loss, test_acc) = (
                self.evaluate(net, X, y) for X, y in ((X_train, y_train), (X_test, y_test))
            )
            self.history.append((epoch, train_loss, test_loss, train_acc, test_acc))

    @staticmethod
    def evaluate(net, X, y):
        logits, y = net.forward(X), torch.from_numpy(y)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
        return loss.item(), ((logits > 0) == y.bool()).float().mean().item()


data = make_data()
X_train, _, y_train, _ = data
models, histories = {}, {}
for name in NAMES:
    torch.manual_seed(42)
    histories[name] = []
    models[name] = NeuralNetBinaryClassifier(
        network,
        module__name=name,
        max_epochs=EPOCHS,
        lr=LR,
        optimizer=torch.optim.SGD,
        optimizer__momentum=MOMENTUM,
        batch_size=-1,
        train_split=None,
        callbacks=[Record(data, histories[name])],
        verbose=0,
    ).fit(X_train, y_train)
    models[name].save_params(f_params=OUT / f"{name}.pth")


def predictor(net):
    return lambda points: net.predict_proba(points)[:, 1]


draw({name: predictor(model) for name, model in models.items()}, histories, data)
report(histories)
