"""Cohorts and models to other programs and back."""
