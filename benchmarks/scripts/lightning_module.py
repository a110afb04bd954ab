"""Train both networks with Lightning."""

import logging
import warnings

import lightning
import torch
from common import EPOCHS, LR, MOMENTUM, NAMES, OUT, RECORD_EVERY, draw, make_data, report
from common_torch import network, predictor
from torch import nn
from torch.utils.data import DataLoader

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")


class Network(lightning.LightningModule):
    def __init__(self, name):
        super().__init__()
        self.layers = network(name)
        self.history = []

    def forward(self, x):
        return self.layers(x)

    def evaluate(self, batch):
        X, y = batch
        logits = self(X)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
        return loss, ((logits > 0) == y.bool()).float().mean()

    def training_step(self, batch, batch_idx):
        return self.evaluate(batch)[0]

    def validation_step(self, batch, batch_idx, dataloader_idx):
        if dataloader_idx == 0:
            self.on_train_set = self.evaluate(batch)
            return
        (train_loss, train_acc), (test_loss, test_acc) = self.on_train_set, self.evaluate(batch)
        figures = (train_loss, test_loss, train_acc, test_acc)
        self.history.append((self.current_epoch + 1, *(figure.item() for figure in figures)))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR, momentum=MOMENTUM)


data = make_data()
X_train, X_test, y_train, y_test = map(torch.from_numpy, data)
parts = ((X_train, y_train.unsqueeze(1)), (X_test, y_test.unsqueeze(1)))
train_loader, test_loader = (DataLoader([part], batch_size=None) for part in parts)
models, histories = {}, {}
for name in NAMES:
    torch.manual_seed(42)
    model = Network(name)
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        devices=1,
        barebones=True,
        check_val_every_n_epoch=RECORD_EVERY,
    )
    trainer.fit(model, train_loader, [train_loader, test_loader])
    trainer.save_checkpoint(OUT / f"{name}.ckpt")
    models[name], histories[name] = model.eval(), model.history


draw({name: predictor(model) for name, model in models.items()}, histories, data)
report(histories)
