// Only here so that there is something to compile the tests' precompiled header with.
