"""Trainings that fit into minutes: timed, counted, said and recorded before they begin."""
