#!/bin/sh
# All scripts with their smoke tests, on the CPU: about a minute.
set -e
here=$(dirname "$0")
out=${1:-$(mktemp -d)}
for name in gan-3d default-6480 calogan progan dcgan; do
    python "$here/train.py" "$name" --smoke -o "$out/$name"
done
python "$here/timings.py" --smoke -o "$out/timings"
