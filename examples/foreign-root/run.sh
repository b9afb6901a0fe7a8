#!/bin/sh
# From ROOT files of others to a judged simulator: each file is converted by one command.
#   mkdir work && cd work && sh ../examples/foreign-root/run.sh
set -e
here=$(cd "$(dirname "$0")" && pwd)

python $here/make_files.py --events 4000

simulacra convert hits.root hits.h5 --detector $here/detector.yaml --map event=event --map energy=Ebeam:GeV --map cell_id=cellID --map cell_energy=edep:GeV --cells cells.csv --origin 0,0,-192mm
simulacra convert showers.root showers.h5 --detector $here/detector.yaml --map energy=Ebeam:GeV --map cell_id=cellID --map cell_energy=edep:GeV --cells cells.csv --origin 0,0,-192mm
simulacra convert two_trees.root two_trees.h5 --detector $here/detector.yaml --tree hits --tree truth --map event=eventID --map energy=Ebeam:GeV --map cell_id=cellID --map cell_energy=edep:MeV --cells cells.csv --origin 0,0,-192mm

simulacra train $here/card.yaml --set detector=$here/detector.yaml -o simulator
simulacra generate simulator --like hits.h5 --seed 2 -o fast.h5
simulacra validate hits.h5 fast.h5 -o report
