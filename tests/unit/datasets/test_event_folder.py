from pathlib import Path

import numpy as np
import pytest
from original_files import (
    AEDAT31_HEAD,
    Refusal,
    aedat2_bytes,
    aedat31_packet,
    dvs128_address,
    nmnist_bytes,
)

from nmsim.datasets.catalog import CATALOG
from nmsim.datasets.files.event_folder import read_event_folder

NMNIST, GESTURE, CIFAR10_DVS = CATALOG["nmnist"], CATALOG["dvs-gesture"], CATALOG["dvs-cifar10"]


def write_nmnist(root: Path, *files: tuple[str, int, int]) -> None:
    for part, digit, number in files:
        path = root / part / str(digit) / f"{number:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(nmnist_bytes([(number, digit, 1, 0)]))


def test_nmnist_follows_the_numbers(tmp_path: Path) -> None:
    write_nmnist(tmp_path, ("Train", 9, 1), ("Train", 0, 12), ("Train", 9, 3), ("Test", 4, 2))
    parts = read_event_folder(tmp_path, NMNIST)
    assert parts.y_train.tolist() == [9, 9, 0]
    assert parts.y_test.tolist() == [4]
    assert [int(parts.x_train.events(i).x[0]) for i in range(3)] == [1, 3, 12]  # type: ignore[union-attr]
    assert parts.split == "official folders"


def test_nmnist_real_files(shared_data: Path) -> None:
    parts = read_event_folder(shared_data / "raw" / "nmnist", NMNIST)
    assert parts.y_train.tolist() == [5, 0, 4, 1, 9, 3, 6, 7, 2, 8]
    assert parts.split == "the folder has no Test: every recording is in the training part"
    assert len(parts.x_test) == 0


def test_nmnist_truncated_file_is_seen_before_any_is_read(tmp_path: Path, refusal: Refusal) -> None:
    write_nmnist(tmp_path, ("Train", 9, 1))
    (tmp_path / "Train" / "9" / "00001.bin").write_bytes(bytes(7))
    assert refusal(lambda: read_event_folder(tmp_path, NMNIST)) == (
        f"{tmp_path}/Train/9/00001.bin: byte 5: 7 bytes are no positive multiple of the 5-byte event, so the"
        " file is empty or truncated; fetch it again"
    )


def test_nmnist_missing(tmp_path: Path, refusal: Refusal) -> None:
    assert refusal(lambda: read_event_folder(tmp_path, NMNIST)) == (
        f"{tmp_path}: no files Train/<digit>/<number>.bin are here; give the folder that holds Train and Test"
        " of N-MNIST"
    )


def write_trial(root: Path, stem: str, labels: tuple[int, ...]) -> None:
    packets = [
        aedat31_packet([(label, 0, 0, 100 * label), (label, 1, 1, 100 * label + 50)]) for label in labels
    ]
    root.mkdir(parents=True, exist_ok=True)
    (root / f"{stem}.aedat").write_bytes(AEDAT31_HEAD + b"".join(packets))
    lines = [f"{label},{100 * label},{100 * label + 99}" for label in labels]
    (root / f"{stem}_labels.csv").write_text("\n".join(["class,startTime_usec,endTime_usec", *lines]))


def test_gesture_lists_of_trials(tmp_path: Path) -> None:
    write_trial(tmp_path / "DvsGesture", "user01_led", (1, 11))
    write_trial(tmp_path / "DvsGesture", "user02_led", (2, 3))
    write_trial(tmp_path / "DvsGesture", "user03_led", (4,))
    (tmp_path / "DvsGesture" / "trials_to_train.txt").write_text("user02_led.aedat\n")
    (tmp_path / "DvsGesture" / "trials_to_test.txt").write_text("user01_led.aedat\n\n")
    parts = read_event_folder(tmp_path, GESTURE)
    assert parts.y_train.tolist() == [1, 2]
    assert parts.y_test.tolist() == [0, 10]
    events = parts.x_test.events(1)  # type: ignore[union-attr]
    assert events.x.tolist() == [11, 11]
    assert events.t_us.tolist() == [0, 50]
    assert parts.split == "official lists of trials"
    assert len(parts.files) == 4


def test_gesture_users_without_lists(tmp_path: Path) -> None:
    write_trial(tmp_path, "user23_led", (1,))
    write_trial(tmp_path, "user24_led", (2,))
    parts = read_event_folder(tmp_path, GESTURE)
    assert (parts.y_train.tolist(), parts.y_test.tolist()) == ([0], [1])
    assert parts.split == "users 1-23 train, others test"


def test_gesture_trial_missing(tmp_path: Path, refusal: Refusal) -> None:
    write_trial(tmp_path, "user01_led", (1,))
    (tmp_path / "trials_to_train.txt").write_text("user01_led.aedat\nuser09_lab.aedat\n")
    assert refusal(lambda: read_event_folder(tmp_path, GESTURE)) == (
        f"{tmp_path}: user09_lab.aedat is in the lists of trials but not in the folder (1 such files);"
        " extract the archive again"
    )


def test_gesture_label_file_missing(tmp_path: Path, refusal: Refusal) -> None:
    write_trial(tmp_path, "user01_led", (1,))
    (tmp_path / "user01_led_labels.csv").unlink()
    assert (
        refusal(lambda: read_event_folder(tmp_path, GESTURE))
        == f"{tmp_path}/user01_led_labels.csv: no such file; check the path"
    )


def test_gesture_real_excerpt(shared_data: Path) -> None:
    parts = read_event_folder(shared_data / "raw" / "dvs_gesture", GESTURE)
    assert parts.y_train.tolist() == list(range(10))
    assert parts.split == "the folder has no test trials: every recording is in the training part"


def test_gesture_in_tonic_form(tmp_path: Path) -> None:
    for user, label in (("user02_lab", 10), ("user29_led", 0)):
        folder = tmp_path / "ibmGestureTrain" / user
        folder.mkdir(parents=True)
        np.save(folder / f"{label}.npy", np.array([[1, 2, 1, 5], [1, 2, 1, 7]]))
    parts = read_event_folder(tmp_path, GESTURE)
    assert (parts.y_train.tolist(), parts.y_test.tolist()) == ([10], [0])
    assert parts.x_train.events(0).t_us.tolist() == [0, 2000]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (
            "11.npy",
            "/user01_led/11.npy: class 11 is outside 0..10; give tonic's original files",
        ),
        (
            "x.npy",
            (
                ": neither *.aedat nor tonic's <user>_<lighting>/<class>.npy of training users are here;"
                " give the folder of DVS128 Gesture"
            ),
        ),
    ],
)
def test_gesture_wrong_folder(tmp_path: Path, refusal: Refusal, name: str, fault: str) -> None:
    (tmp_path / "user01_led").mkdir()
    np.save(tmp_path / "user01_led" / name, np.zeros((1, 4)))
    assert refusal(lambda: read_event_folder(tmp_path, GESTURE)) == f"{tmp_path}{fault}"


def write_cifar10_dvs(root: Path, per_class: int) -> None:
    for label, name in enumerate(CIFAR10_DVS.class_names):
        (root / name).mkdir(parents=True)
        for number in range(per_class):
            content = aedat2_bytes([(dvs128_address(label, number, 1), 0)])
            (root / name / f"cifar10_{name}_{number}.aedat").write_bytes(content)


def test_cifar10_dvs_split_and_orientation(tmp_path: Path) -> None:
    write_cifar10_dvs(tmp_path, 20)
    (tmp_path / "truck" / "._cifar10_truck_0.aedat").write_bytes(b"what macOS leaves in archives")
    parts = read_event_folder(tmp_path, CIFAR10_DVS)
    assert np.bincount(parts.y_train).tolist() == [18] * 10
    assert np.bincount(parts.y_test).tolist() == [2] * 10
    assert parts.y_train[:12].tolist() == [*range(10), 0, 1]
    events = parts.x_test.events(13)  # type: ignore[union-attr]
    # columns and rows are exchanged: the recordings lie on their side
    assert (int(events.x[0]), int(events.y[0])) == (19, 3)


def test_cifar10_dvs_class_missing(tmp_path: Path, refusal: Refusal) -> None:
    write_cifar10_dvs(tmp_path, 1)
    for path in (tmp_path / "frog").iterdir():
        path.unlink()
    assert refusal(lambda: read_event_folder(tmp_path, CIFAR10_DVS)) == (
        f"{tmp_path}: no files frog/*.aedat are here; give the folder that holds the ten class folders of"
        " CIFAR10-DVS"
    )
