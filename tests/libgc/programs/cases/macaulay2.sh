# M2: Groebner bases and free resolutions; GMP's numbers on the heap, an interpreter with threads, finalizers.

packages=macaulay2
variants=(groebner resolutions)

prepare() { cp "$here"/cases/macaulay2/*.m2 .; }

# One thread for the kernels: what they print is in order then. M2 returns the status of `exit`.
commands() {
    HOME=$PWD M2 --script "../input/$1.m2"
}
