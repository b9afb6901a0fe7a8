#!/bin/sh
# Full simulation of the samples that long trainings need: what is unfinished goes on, what is there is left.
#   sh benchmarks/production/produce.sh FOLDER [WORKERS]
# Every line is one file: its name, then the options of simulacra simulate. CPU time: see README.md.
set -u
cd "$1" || exit 2
workers=${2:-2}
sample() {
    name=$1
    shift
    [ -e "$name.h5" ] || nice -n 19 simulacra simulate "$@" --workers "$workers" -o "$name.h5" || echo "$name is unfinished"
}
# Photons of the dense networks: nine energies, half of them for training.
barrel() { sample "$1" --detector atlas-barrel --particle gamma --energy "$2" -n "$3" --seed "$4"; }
barrel barrel-1-to-16 1GeV,2GeV,4GeV,8GeV,16GeV 60000 2501
barrel barrel-32 32GeV 12000 2502
barrel barrel-65 65GeV 12000 2503
barrel barrel-131 131GeV 4000 2504
barrel barrel-262 262GeV 1200 2505
# CaloGAN: three particles, uniform 1 to 100 GeV.
calogan() { sample "$1" --detector calogan --particle "$2" --energy 1GeV-100GeV -n 30000 --physics "$3" --seed "$4"; }
calogan calogan-positrons e+ opt0 2601
calogan calogan-photons gamma opt0 2602
calogan calogan-pions pi+ FTFP_BERT 2603
# 3D GAN: electrons, uniform 100 to 500 GeV and 20 to 500 GeV.
sample clic-100-500 --detector clic-ecal --particle e- --energy 100GeV-500GeV -n 20000 --seed 2604
sample clic-20-500 --detector clic-ecal --particle e- --energy 20GeV-500GeV -n 20000 --seed 2605
