// Exports of a shell over functions in C++. To be included.

/// Exports functions that are jumps to others: with all arguments as they came, and no Rust frame that an exception would
/// have to pass.
macro_rules! jumps {
    ($($name:ident => $function:ident),*) => {
        $(
            const _: () = {
                unsafe extern "C" {
                    fn $function();
                }

                #[unsafe(no_mangle)]
                #[unsafe(naked)]
                unsafe extern "C" fn $name() {
                    core::arch::naked_asm!("jmp {function}", function = sym $function)
                }
            };
        )*
    };
}

/// Nothing here panics; a library without `std` has to have one.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
