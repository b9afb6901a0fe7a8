#!/bin/sh
# CaloChallenge files as they are published, without a conversion: train, generate, judge by the official metrics.
#
#   run.sh TRAIN.hdf5 EVENTS TEST.hdf5 [options of train]
#   run.sh dataset_2_1.hdf5 90000 dataset_2_2.hdf5
#
# EVENTS of TRAIN.hdf5 are learned from, the rest of it chooses the best step, TEST.hdf5 judges.
# Results, in the current folder: simulator/, generated.h5 and its twin generated.hdf5 with CaloChallenge's
# two arrays for other people's programs, report/index.html with the official separation powers.
set -eu
here=$(dirname "$0")
learned=$1 events=$2 judge=$3
shift 3

simulacra train "$here/card.yaml" -o simulator \
    --set "data.train='$learned[:$events]'" --set "data.selection='$learned[$events:]'" "$@"
simulacra generate simulator --like "$judge" -o generated.h5
simulacra validate "$judge" generated.h5 --caloch-legacy 2 -o report
simulacra convert generated.h5 generated.hdf5 --format calochallenge
