"""Packages of the distribution: installed, or not there."""
