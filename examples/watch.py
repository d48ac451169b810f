"""Prints what changes below the paths that are given, until interrupted."""

import sys

import gamin

with gamin.watch(*sys.argv[1:]) as watch:
    print("watching", flush=True)
    for batch in watch:
        for event in batch:
            print(event.kind, event.path, event.dest or "", flush=True)
