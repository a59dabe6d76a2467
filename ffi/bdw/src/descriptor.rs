//! Descriptors: the word that says which words of an object may be pointers.
