"""CircleModelV2 and its recipe in JAX and optax: a scan over epochs, to be jitted."""

import jax
import jax.numpy as jnp
import optax

from benchmarks.measure import LR, MOMENTUM, RECORD_EVERY

OPTIMIZER = optax.sgd(LR, momentum=MOMENTUM)


def initial_weights(model):
    """Return the weights of a PyTorch model as a list of (weight, bias), as numpy arrays."""
    tensors = iter(parameter.detach().numpy() for parameter in model.parameters())
    return list(zip(tensors, tensors, strict=True))


def forward(parameters, x):
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight.T + bias)
    weight, bias = parameters[-1]
    return x @ weight.T + bias


def mean_loss(parameters, x, y):
    return optax.sigmoid_binary_cross_entropy(forward(parameters, x), y).mean()


def count_right(parameters, x, y):
    return jnp.sum((forward(parameters, x) > 0) == (y > 0))


def start(parameters):
    return parameters, OPTIMIZER.init(parameters)


def train_to_record(state, x, y):
    """Return the state, parameters and optimizer, after the epochs from one record to the next."""

    def epoch(state, _):
        parameters, optimizer_state = state
        gradient = jax.grad(mean_loss)(parameters, x, y)
        updates, optimizer_state = OPTIMIZER.update(gradient, optimizer_state)
        return (optax.apply_updates(parameters, updates), optimizer_state), None

    return jax.lax.scan(epoch, state, length=RECORD_EVERY)[0]
