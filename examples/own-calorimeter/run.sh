#!/bin/sh
# From a description to a hybrid run: simulate, train, generate, judge, and answer in Geant4's place.
#   cd examples/own-calorimeter && sh run.sh
# ENERGY is the spectrum; TRAIN (twice, and MORE), SELECTION, TEST and HYBRID are numbers of events, STEPS of steps.
set -e
simulate() {
    simulacra simulate --detector calorimeter.yaml --particle e-,gamma --energy "${ENERGY:-1GeV..20GeV}" \
        --workers "${WORKERS:-2}" "$@"
}
simulate -n "${TRAIN:-12000}" --seed 1 -o train-a.h5
simulate -n "${TRAIN:-12000}" --seed 11 -o train-b.h5
simulate -n "${MORE:-8000}" --seed 12 -o train-c.h5
simulate -n "${SELECTION:-1500}" --seed 2 -o selection.h5
simulate -n "${TEST:-4000}" --seed 3 -o test.h5
simulacra train card.yaml -o simulator --set training.steps="${STEPS:-3000}" --set selection.every="${EVERY:-500}"
simulacra generate simulator --like test.h5 -o fast.h5
simulacra validate test.h5 fast.h5 -o report
simulacra hybrid hybrid.yaml --set events="${HYBRID:-60000}" --workers "${WORKERS:-2}" -o hybrid.h5
simulacra hybrid hybrid.yaml --set events="${HYBRID:-60000}" --set 'rules=[]' --workers "${WORKERS:-2}" -o full.h5
python judge.py
