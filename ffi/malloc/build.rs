//! Linking: a name for the loader, never unloaded, all symbols bound at load.
fn main() {
    for argument in ["-Wl,-soname,libgleaner_malloc.so.0", "-Wl,-z,nodelete", "-Wl,-z,now"] {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
