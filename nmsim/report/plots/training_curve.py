"""The training curve: accuracy and loss by epoch."""

from math import log10

from matplotlib.ticker import MaxNLocator, PercentFormatter

from nmsim.report.picture import Picture
from nmsim.report.plots.canvas import PALETTE, grid, log_scale, look, new_figure, svg_of
from nmsim.stop.history import TrainingHistory


def training_curve(history: TrainingHistory, described: str) -> Picture:
    """Accuracy on training and held-out samples (left) and mean loss (right) by epoch; `described` says of what."""
    epochs = [row.epoch + 1 for row in history.rows]
    last = history.rows[-1]
    marker = "o" if len(epochs) <= 40 else None
    with look():
        figure = new_figure("Training curve", described, height=2.9)
        left, right = figure.subplots(1, 2)
        left.plot(
            epochs,
            [row.train_accuracy for row in history.rows],
            color=PALETTE[1],
            marker=marker,
            label="training samples, while learning",
        )
        held_out = [row.test_accuracy for row in history.rows if row.test_accuracy is not None]
        if held_out:
            left.plot(
                epochs,
                held_out,
                color=PALETTE[0],
                marker=marker,
                label=f"{last.test_samples:,} held-out samples",
            )
        left.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
        left.set_ylabel("accuracy (%)")
        left.legend(loc="best")
        right.plot(
            epochs,
            [row.train_loss for row in history.rows],
            color=PALETTE[1],
            marker=marker,
            label="training loss",
        )
        right.set_ylabel("loss per sample and time step")
        if _decades(history) >= 1:
            log_scale(right, "y")
        right.legend(loc="best")
        for axes in (left, right):
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
            axes.set_xlim(0.8, max(len(epochs), 2) + 0.2)
            grid(axes, "y")
        svg = svg_of(figure)
    alt = (
        f"Lines over {len(epochs)} epochs: accuracy at the end {last.accuracy_text}; loss goes from"
        f" {history.rows[0].train_loss:.3g} to {last.train_loss:.3g}."
    )
    caption = (
        f"Measured in this run. Accuracy after the last epoch: {last.accuracy_text}. Training accuracy is taken while"
        " weights change."
    )
    return Picture("training-curve", "Training curve", alt, caption, svg)


def _decades(history: TrainingHistory) -> float:
    """Decades that the loss spans; its axis is logarithmic from one on, and never forced to zero."""
    losses = [row.train_loss for row in history.rows]
    return log10(max(losses) / min(losses)) if min(losses) > 0 else 0.0
