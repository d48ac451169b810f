"""The configuration: gaminrc, mounts, and the policy they give.

Pure, except `loader`, which reads the files.
"""
