"""Energy of arithmetic by operand width: additions linear in bits, multiplications in their product."""

from functools import lru_cache

from nmsim.cost.price import Price
from nmsim.cost.technology import Technology
from nmsim.counts import Action
from nmsim.errors import CostError

GROUP = "logic"
ADD, MULTIPLY, COMPARE, SHIFT, REGISTER = (
    f"logic.{name}"
    for name in (
        "add_pj_per_bit",
        "multiply_pj_per_bit2",
        "compare_pj_per_bit",
        "shift_pj_per_bit",
        "register_pj_per_bit",
    )
)


@lru_cache(maxsize=1024)
def operation(technology: Technology, action: Action, bits_a: int, bits_b: int, bits_c: int) -> Price:
    """Price of one ALU operation of the widths of `counts.Action`.

    `sop` and `add`: k a. `multiply`: k2 a b. `mac`: k2 a b + k c. `compare`, `shift`: their own k per bit.
    `lookup`: one word of a table of registers. `random_draw`: one register of `a` bits clocked, and its
    feedback network as an addition.

    Raises:
        CostError: a width that decides the price is 0, or the table lacks a constant.
    """
    terms = {
        Action.SOP: [(ADD, bits_a)],
        Action.ADD: [(ADD, bits_a)],
        Action.MULTIPLY: [(MULTIPLY, bits_a * bits_b)],
        Action.MAC: [(MULTIPLY, bits_a * bits_b), (ADD, bits_c)],
        Action.COMPARE: [(COMPARE, bits_a)],
        Action.SHIFT: [(SHIFT, bits_a)],
        Action.LOOKUP: [(REGISTER, bits_a)],
        Action.RANDOM_DRAW: [(REGISTER, bits_a), (ADD, bits_a)],
    }.get(action)
    if terms is None:
        raise CostError(
            f"{technology.table}: '{action}' is not an arithmetic action; count it under its own component"
        )
    if any(bits < 1 for _, bits in terms):
        raise CostError(
            f"{technology.table}: '{action}' was counted with widths {bits_a}, {bits_b}, {bits_c}; give the"
            " operand widths that decide its price"
        )
    name = f"{action} {'x'.join(str(bits) for bits in (bits_a, bits_b, bits_c) if bits)} bit"
    formula = " + ".join(f"{key.partition('.')[2]} * {bits}" for key, bits in terms)
    return technology.price(name, GROUP, terms, formula)
