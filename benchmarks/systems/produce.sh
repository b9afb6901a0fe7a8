#!/bin/sh
# Full simulation of the calorimeter systems' samples, one detector after another:
#     produce.sh FOLDER [DETECTOR ...]
# Run it again after a stop: finished files are kept, unfinished ones are resumed.
# Physics: opt0, Geant4's standard electromagnetic physics, with its own production cuts.
set -eu
folder=$1
shift
[ $# -gt 0 ] || set -- atlas-barrel-89 atlas-voxels par04-siw calogan clic-ecal
mkdir -p "$folder"

sample() { # detector particle energy events seed name
    file=$folder/$1-$6.h5
    [ -e "$file" ] || simulacra simulate --detector "$1" --particle "$2" --energy "$3" \
        -n "$4" --seed "$5" --workers "${WORKERS:-1}" -o "$file"
}

three() { # detector particle energy seed training selection test
    sample "$1" "$2" "$3" "$7" "$4"3 test
    sample "$1" "$2" "$3" "$6" "$4"2 selection
    sample "$1" "$2" "$3" "$5" "$4"1 train
}

powers=256MeV,512MeV,1.024GeV,2.048GeV,4.096GeV,8.192GeV,16.384GeV,32.768GeV,65.536GeV
for detector; do
    case $detector in
    atlas-barrel-89) three "$detector" gamma 10GeV 701 4000 500 1000 ;;
    atlas-voxels) three "$detector" gamma "$powers" 702 5400 450 1350 ;;
    par04-siw) three "$detector" e- 1GeV..100GeV 703 3000 300 700 ;;
    calogan) three "$detector" e+ 1GeV..100GeV 704 1500 200 800 ;;
    clic-ecal)
        three "$detector" e- 20GeV..500GeV 705 800 100 200
        sample "$detector" e- 100GeV,150GeV,200GeV,300GeV,400GeV,500GeV 90 7054 points
        ;;
    *) echo "produce.sh: no sample of $detector" >&2; exit 2 ;;
    esac
done
