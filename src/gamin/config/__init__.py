"""The configuration: gaminrc, mounts, and the policy they give.

Pure, save `loader`, which reads the files.
"""
