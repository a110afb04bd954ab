"""Train both networks with scikit-learn's MLPClassifier."""

import joblib
from common import EPOCHS, HIDDEN, LR, MOMENTUM, NAMES, OUT, RECORD_EVERY, draw, make_data, report
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier


def evaluate(classifier, X, y):
    probabilities = classifier.predict_proba(X)
    return log_loss(y, probabilities), ((probabilities[:, 1] > 0.5) == y).mean()


data = make_data()
X_train, X_test, y_train, y_test = data
models, histories = {}, {}
for name in NAMES:
    classifier = MLPClassifier(
        (HIDDEN, HIDDEN),
        activation="relu" if name == "relu" else "identity",
        solver="sgd",
        alpha=0.0,
        batch_size=len(X_train),
        shuffle=False,
        learning_rate_init=LR,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        random_state=42,
    )
    history = []
    for epoch in range(1, EPOCHS + 1):
        classifier.partial_fit(X_train, y_train, classes=[0, 1])
        if epoch % RECORD_EVERY == 0:
            train_loss, train_acc = evaluate(classifier, X_train, y_train)
            test_loss, test_acc = evaluate(classifier, X_test, y_test)
            history.append((epoch, train_loss, test_loss, train_acc, test_acc))
    models[name], histories[name] = classifier, history
    joblib.dump(classifier, OUT / f"{name}.joblib")


def predictor(classifier):
    return lambda points: classifier.predict_proba(points)[:, 1]


draw({name: predictor(model) for name, model in models.items()}, histories, data)
report(histories)
