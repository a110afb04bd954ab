"""Move initial weights by one unit in the last place, wherever this folder is on Python's path.

Python imports a module of this name when it starts. To a training this does what another
processor's rounding does: whatever hangs on last bits comes out otherwise.
"""

import math

import torch
from torch import nn

draw = nn.Linear.reset_parameters


def draw_and_move(layer):
    draw(layer)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.nextafter(parameter, torch.full_like(parameter, math.inf)))


nn.Linear.reset_parameters = draw_and_move
