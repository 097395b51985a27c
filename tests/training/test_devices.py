"""Several devices and several machines do what one does, in processes of their own."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import worker

from hematovision.errors import InputError
from hematovision.settings import ROOT
from hematovision.training.fitting.batches import Batches
from hematovision.training.fitting.devices import Steps


def start(cells, run, *devices, **environment):
    return subprocess.Popen(
        [sys.executable, worker.__file__, str(cells), str(run), *map(str, devices)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"} | environment,
    )


def said(process):
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(out.splitlines()[-1])


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.fixture(scope="module")
def two_machines(cells_folder, tmp_path_factory):
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    tasks = [{"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}} for i in range(2)]
    run = tmp_path_factory.mktemp("machines")
    first, second = (start(cells_folder, run, TF_CONFIG=json.dumps(task)) for task in tasks)
    with first, second:
        yield first, second
        first.kill()
        second.kill()


@pytest.fixture(scope="module")
def two_devices(cells_folder, tmp_path_factory):
    with start(cells_folder, tmp_path_factory.mktemp("devices"), 2) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def alone(two_machines, two_devices, cells_folder, tmp_path_factory):
    """One device of one machine: this process, which works while the others start."""
    answer = worker.curve(cells_folder, tmp_path_factory.mktemp("alone"))
    assert (answer["place"], answer["replicas"], len(answer["losses"])) == ((0, 1), 1, 12)
    # The curve means something: the model learns.
    assert answer["losses"][-2] < answer["losses"][0] - 0.05
    return answer


def test_two_machines_follow_the_curve_of_one(alone, two_machines):
    answers = [said(process) for process in two_machines]
    assert [answer["place"] for answer in answers] == [[0, 2], [1, 2]]
    for answer in answers:
        assert answer["replicas"] == 2
        assert np.allclose(answer["losses"], alone["losses"], atol=1e-3)
        assert np.allclose(answer["val"], alone["val"], atol=1e-3)
        assert answer["weights"] == pytest.approx(alone["weights"], rel=1e-5)


def test_two_devices_of_one_machine_follow_it_too(alone, two_devices):
    answer = said(two_devices)
    assert (answer["kind"], answer["place"], answer["replicas"]) == ("MirroredStrategy", [0, 1], 2)
    assert np.allclose(answer["losses"], alone["losses"], atol=1e-3)
    assert answer["weights"] == pytest.approx(alone["weights"], rel=1e-5)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(records):
    steps = Steps.__new__(Steps)
    steps.processes = 2
    with pytest.raises(InputError, match="that their number divides"):
        next(steps.epoch(Batches(records, 32, 7)))
