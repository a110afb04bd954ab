"""Train both networks with a plain PyTorch loop, as tutorials write it."""

import torch
from common import EPOCHS, LR, MOMENTUM, NAMES, OUT, RECORD_EVERY, draw, make_data, report
from common_torch import network, predictor
from torch import nn


def evaluate(model, X, y):
    model.eval()
    with torch.inference_mode():
        logits = model(X)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, y)
        predictions = torch.round(torch.sigmoid(logits))
        return loss.item(), (predictions == y).sum().item() / len(y)


data = make_data()
X_train, X_test, y_train, y_test = map(torch.from_numpy, data)
y_train, y_test = y_train.unsqueeze(1), y_test.unsqueeze(1)
models, histories = {}, {}
for name in NAMES:
    torch.manual_seed(42)
    model = network(name)
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    history = []
    for epoch in range(1, EPOCHS + 1):
        model.train()
        loss = loss_fn(model(X_train), y_train)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % RECORD_EVERY == 0:
            train_loss, train_acc = evaluate(model, X_train, y_train)
            test_loss, test_acc = evaluate(model, X_test, y_test)
            history.append((epoch, train_loss, test_loss, train_acc, test_acc))
    models[name], histories[name] = model, history
    torch.save(model.state_dict(), OUT / f"{name}.pth")


draw({name: predictor(model) for name, model in models.items()}, histories, data)
report(histories)
