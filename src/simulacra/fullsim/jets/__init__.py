"""Full simulation of jets: Pythia makes collisions, FastJet finds jets, and images are drawn."""
