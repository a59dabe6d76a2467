//! Fibers: stacks that the program switches between. What a record of one is: `gleaner::heap::fiber`.

use crate::{
    engine::{self, Engine, forward},
    exports::{errno, refuse},
};
use core::ffi::{c_uint, c_void};
use gleaner::{
    base::{
        addr::{Addr, Range},
        sync::Ordering,
    },
    collect::{fibers, world},
    fatal,
    heap::{
        fiber::{self, CURRENT, Fiber, Life, PARKED, State, offset},
        mutator::{self, Mutator},
    },
    os::stack,
};

/// `gc_fiber_jump` of `gleaner.h`.
pub type Jump = unsafe extern "C" fn(*mut c_void);

/// Where a thread's record says which fiber it runs.
const CURRENT_IN_RECORD: usize = core::mem::offset_of!(Mutator, fibers) + CURRENT;

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_fiber_new(
    stack: *mut c_void,
    size: usize,
    sp: *mut c_void,
    data: *mut c_void,
    life: c_uint,
) -> *mut Fiber {
    forward!(gc_fiber_new(stack, size, sp, data, life));
    let life = match life {
        0 => Life::Root,
        1 => Life::Object,
        _ => return refuse(errno::EINVAL),
    };
    let range = Range::sized(Addr::of(stack), size);
    let sp = if sp.is_null() { range.end } else { Addr::of(sp) };
    if stack.is_null() || range.is_empty() || sp < range.start || sp > range.end {
        return refuse(errno::EINVAL);
    }
    let made = fibers::make(range, sp, data as usize, life);
    // The collection that the record may have needed found both on this stack.
    core::hint::black_box((stack, data));
    made.map_or_else(|_| refuse(errno::ENOMEM), |fiber| core::ptr::from_ref(fiber).cast_mut())
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_fiber_current() -> *mut Fiber {
    forward!(gc_fiber_current());
    let Some(mutator) = world::register() else { return refuse(errno::ENOMEM) };
    match fiber::settle(mutator, stack::pointer()) {
        Some(fiber) => core::ptr::from_ref(fiber).cast_mut(),
        None => refuse(errno::EINVAL),
    }
}

/// See `gleaner.h`.
#[unsafe(no_mangle)]
pub extern "C" fn gc_fiber_free(fiber: *mut Fiber) {
    forward!(gc_fiber_free(fiber));
    if fiber.is_null() {
        return;
    }
    let Some(mutator) = world::register() else { fatal!("gc_fiber_free: no memory for the calling thread's record") };
    let address = fiber as usize;
    // If the thread has left the fiber without a switch, now that is known.
    fiber::settle(mutator, stack::pointer());
    let Some(fiber) = find(Addr::of(fiber)) else { die_of_unknown("gc_fiber_free", address) };
    match fiber.state() {
        State::Parked | State::Lost(_) => fiber.end(),
        State::Running(holder) if core::ptr::eq(holder, mutator) => {
            fatal!("gc_fiber_free: the fiber runs, on this thread: {address:#x}; free it from another fiber")
        }
        State::Running(holder) => fatal!(
            "gc_fiber_free: the fiber runs, on thread {}: {address:#x}; free it when it is parked",
            number_of(holder)
        ),
        State::ParkedOwn(holder) => fatal!(
            "gc_fiber_free: the own stack of thread {}: {address:#x}; it is a fiber for as long as the thread lives",
            number_of(holder)
        ),
        State::Ended => fatal!("gc_fiber_free: freed twice: {address:#x}, a fiber; remove one of the two calls"),
        State::Vacant => die_of_unknown("gc_fiber_free", address),
    }
}

/// See `gleaner.h`. The order of the stores is argued in `gleaner::heap::fiber`.
///
/// # Safety
/// `to` is a fiber, and `jump` goes on on its stack.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn gc_fiber_switch(to: *mut Fiber, jump: Jump, data: *mut c_void) {
    core::arch::naked_asm!(
        ".cfi_startproc",
        // This thread's record, and the fiber it runs: on whose stack it stands. A safe region hides the record.
        "2:",
        "mov rax, qword ptr [rip + gleaner_thread_1@GOTTPOFF]",
        "mov rax, qword ptr fs:[rax]",
        "test rax, rax",
        "jz 4f",
        "mov rcx, qword ptr [rax + {current}]",
        "test rcx, rcx",
        "jz 4f",
        "cmp rsp, qword ptr [rcx + {stack_start}]",
        "jb 4f",
        "cmp rsp, qword ptr [rcx + {stack_end}]",
        "jae 4f",
        // Where it goes: a parked fiber, or this thread's own stack.
        "test rdi, rdi",
        "jz 4f",
        "mov r8, qword ptr [rdi + {holder}]",
        "cmp r8, {parked}",
        "je 3f",
        "lea r9, [rax + {own}]",
        "cmp r8, r9",
        "jne 4f",
        "3:",
        gleaner::push_registers!(),
        // What the jump is going to need when it comes back lies below: its data is kept from here.
        "push rdx",
        ".cfi_adjust_cfa_offset 8",
        "mov qword ptr [rcx + {sp}], rsp",
        "mov qword ptr [rdi + {holder}], rax",
        "mov qword ptr [rax + {current}], rdi",
        "mov r8, qword ptr [rcx + {while_parked}]",
        "mov qword ptr [rcx + {holder}], r8",
        "mov rdi, rdx",
        "call rsi",
        "add rsp, 8",
        ".cfi_adjust_cfa_offset -8",
        gleaner::pop_registers!(),
        "ret",
        // Something is not as it has to be: it is put right and tried again, or it is another copy's to do.
        "4:",
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "push rdx",
        ".cfi_adjust_cfa_offset 8",
        "mov rsi, rsp",
        "call {prepare}",
        "pop rdx",
        ".cfi_adjust_cfa_offset -8",
        "pop rsi",
        ".cfi_adjust_cfa_offset -8",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        "test rax, rax",
        "jz 2b",
        "jmp qword ptr [rax + {entry}]",
        ".cfi_endproc",
        current = const CURRENT_IN_RECORD,
        stack_start = const offset::STACK_START,
        stack_end = const offset::STACK_END,
        holder = const offset::HOLDER,
        while_parked = const offset::WHILE_PARKED,
        sp = const offset::SP,
        parked = const PARKED,
        own = const fiber::OWN,
        prepare = sym gleaner_slow_fiber_switch,
        entry = const core::mem::offset_of!(Engine, gc_fiber_switch),
    )
}

/// Makes a switch to `to` possible for the calling thread, which stands at `sp`, or says why it is not. The table to go
/// through, if the engine is elsewhere.
///
/// # Safety
/// `to` is what the program passed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gleaner_slow_fiber_switch(to: *mut Fiber, sp: Addr) -> *const Engine {
    if let Some(engine) = engine::elsewhere() {
        return engine;
    }
    let Some(mutator) = world::register() else { fatal!("gc_fiber_switch: no memory for the calling thread's record") };
    let address = to as usize;
    if fiber::settle(mutator, sp).is_none() {
        fatal!(
            "gc_fiber_switch: the calling thread stands on no fiber that it switched to: its stack pointer is {:#x}; make \
             fibers of all stacks, and leave them by gc_fiber_switch",
            sp.get()
        )
    }
    let Some(to) = find(Addr::of(to)) else { die_of_unknown("gc_fiber_switch", address) };
    match to.state() {
        State::Parked => {}
        State::ParkedOwn(holder) if core::ptr::eq(holder, mutator) => {}
        State::ParkedOwn(holder) => fatal!(
            "gc_fiber_switch: the own stack of thread {}: {address:#x}; only that thread may switch to it",
            number_of(holder)
        ),
        State::Running(holder) if core::ptr::eq(holder, mutator) => {
            fatal!(
                "gc_fiber_switch: the fiber runs already, on this thread: {address:#x}; switch to one that is parked"
            )
        }
        State::Running(holder) => fatal!(
            "gc_fiber_switch: the fiber runs already, on thread {}: {address:#x}; switch to one that is parked",
            number_of(holder)
        ),
        State::Lost(tid) => fatal!(
            "gc_fiber_switch: the fiber cannot go on: {address:#x} was left by thread {tid} without a switch; free it"
        ),
        State::Ended => fatal!("gc_fiber_switch: the fiber was freed: {address:#x}; switch to one that is parked"),
        State::Vacant => die_of_unknown("gc_fiber_switch", address),
    }
    core::ptr::null()
}

/// The fiber at an address that came from the program: an object, or a thread's own stack.
fn find(address: Addr) -> Option<&'static Fiber> {
    let own = || mutator::all().map(|record| record.fibers.own()).find(|own| own.address() == address);
    fibers::find(address).or_else(own)
}

fn number_of(holder: &Mutator) -> u32 {
    holder.tid.load(Ordering::Relaxed)
}

fn die_of_unknown(function: &str, address: usize) -> ! {
    fatal!("{function}: not a fiber: {address:#x}; pass what gc_fiber_new or gc_fiber_current returned")
}
