"""Train both networks with JAX and optax: jitted scans from one record to the next."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from common import EPOCHS, HIDDEN, LR, MOMENTUM, NAMES, OUT, RECORD_EVERY, draw, make_data, report

optimizer = optax.sgd(LR, momentum=MOMENTUM)


def initial_weights(seed):
    """Return a list of (weight, bias), uniform as PyTorch draws them."""
    random, layers = np.random.default_rng(seed), []
    for fan_in, fan_out in ((2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)):
        bound = fan_in**-0.5
        shapes = (fan_in, fan_out), fan_out
        layers.append([random.uniform(-bound, bound, s).astype(np.float32) for s in shapes])
    return layers


def forward(activation, parameters, x):
    for weight, bias in parameters[:-1]:
        x = activation(x @ weight + bias)
    weight, bias = parameters[-1]
    return (x @ weight + bias)[:, 0]


def evaluate(activation, parameters, x, y):
    logits = forward(activation, parameters, x)
    return optax.sigmoid_binary_cross_entropy(logits, y).mean(), jnp.mean((logits > 0) == (y > 0))


def train(activation, parameters, data):
    """Return the parameters after the last epoch, and the figures of all records."""
    X_train, X_test, y_train, y_test = data

    def loss(parameters):
        return evaluate(activation, parameters, X_train, y_train)[0]

    def epoch(state, _):
        parameters, optimizer_state = state
        updates, optimizer_state = optimizer.update(jax.grad(loss)(parameters), optimizer_state)
        return (optax.apply_updates(parameters, updates), optimizer_state), None

    def record(state, _):
        state, _ = jax.lax.scan(epoch, state, length=RECORD_EVERY)
        on_train = evaluate(activation, state[0], X_train, y_train)
        on_test = evaluate(activation, state[0], X_test, y_test)
        return state, (on_train[0], on_test[0], on_train[1], on_test[1])

    state = parameters, optimizer.init(parameters)
    (parameters, _), figures = jax.lax.scan(record, state, length=EPOCHS // RECORD_EVERY)
    return parameters, figures


data = make_data()
models, histories = {}, {}
for name in NAMES:
    activation = jax.nn.relu if name == "relu" else lambda x: x
    run = jax.jit(train, static_argnums=0)
    parameters, figures = run(activation, initial_weights(42), data)
    epochs = range(RECORD_EVERY, EPOCHS + 1, RECORD_EVERY)
    histories[name] = list(zip(epochs, *map(np.asarray, figures), strict=True))
    models[name] = activation, parameters
    np.savez(OUT / f"{name}.npz", *jax.tree.leaves(parameters))


def predictor(activation, parameters):
    predict = jax.jit(lambda points: jax.nn.sigmoid(forward(activation, parameters, points)))
    return lambda points: np.asarray(predict(points))


draw({name: predictor(*model) for name, model in models.items()}, histories, data)
report(histories)
