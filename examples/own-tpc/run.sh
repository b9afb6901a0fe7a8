#!/bin/sh
# A chamber of one's own, from its description to a judged simulator. Needs Geant4.
#   mkdir work && cd work && sh ../examples/own-tpc/run.sh
set -e
here=$(cd "$(dirname "$0")" && pwd)

simulacra simulate --detector $here/detector.yaml --momentum 200MeV..5GeV -n 8000 --seed 1 --workers 2 -o train.h5
simulacra simulate --detector $here/detector.yaml --momentum 200MeV..5GeV -n 1000 --seed 2 --workers 2 -o selection.h5
simulacra simulate --detector $here/detector.yaml --momentum 200MeV..5GeV -n 3000 --seed 3 --workers 2 -o test.h5

simulacra train $here/card.yaml --set detector=$here/detector.yaml -o simulator
simulacra generate simulator --like test.h5 --seed 4 -o fast.h5
simulacra validate test.h5 fast.h5 -o report
