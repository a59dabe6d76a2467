//! The calls of the C library that wait: each is a safe region, so that no collection has to wake who waits there, nor
//! cuts the call short.
//!
//! Most go to the C library as they come. Some need more and are called through an edge: those that every signal would
//! end, since a stop signal may be on its way while the region opens (`sleeps.c`), those that take signals out of the
//! queue (`waits.c`), and those whose messages may hold addresses (`transfers.c`).
//!
//! Calls that wait for long in few programs are left out, such as `write`: a region costs some 20 ns. So are those that the
//! C library makes inside others, and `pthread_join` and its kin: they unmap the stack of the thread that has ended, which
//! a collector may be reading.

use crate::{
    clones, followed,
    regions::{Original, directly, in_region},
    sandbox,
};
use core::{arch::naked_asm, ffi::c_long};
use gleaner::{collect::world, heap::region};

/// Exports `name`, which calls the C library's function of the name `text` in a region.
macro_rules! regions {
    ($find:ident: $($name:ident $text:literal)*) => {
        $(
            mod $name {
                pub static ORIGINAL: super::Original = super::Original::new($text);
            }

            /// As the C library's, in a safe region.
            ///
            /// # Safety
            /// As the C library's.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            pub unsafe extern "C" fn $name() {
                naked_asm!(
                    "lea rax, [rip + {original}]",
                    "jmp {in_region}",
                    original = sym $name::ORIGINAL,
                    in_region = sym in_region,
                )
            }
        )*

        fn $find() {
            $($name::ORIGINAL.find();)*
        }
    };
}

regions! {
    find_plain:
    accept c"accept"
    accept4 c"accept4"
    connect c"connect"
    flock c"flock"
    wait c"wait"
    waitpid c"waitpid"
    wait3 c"wait3"
    wait4 c"wait4"
    waitid c"waitid"
    pthread_cond_wait c"pthread_cond_wait"
    pthread_cond_timedwait c"pthread_cond_timedwait"
    pthread_cond_clockwait c"pthread_cond_clockwait"
    pthread_barrier_wait c"pthread_barrier_wait"
    sem_wait c"sem_wait"
    cnd_wait c"cnd_wait"
    cnd_timedwait c"cnd_timedwait"
}

regions! {
    find_of_edges:
    gleaner_call_nanosleep c"nanosleep"
    gleaner_call_clock_nanosleep c"clock_nanosleep"
    gleaner_call_poll c"poll"
    gleaner_call_ppoll c"ppoll"
    gleaner_call_poll_chk c"__poll_chk"
    gleaner_call_ppoll_chk c"__ppoll_chk"
    gleaner_call_select c"select"
    gleaner_call_pselect c"pselect"
    gleaner_call_epoll_wait c"epoll_wait"
    gleaner_call_epoll_pwait c"epoll_pwait"
    gleaner_call_epoll_pwait2 c"epoll_pwait2"
    gleaner_call_sem_timedwait c"sem_timedwait"
    gleaner_call_sem_clockwait c"sem_clockwait"
    gleaner_call_pause c"pause"
    gleaner_call_sigsuspend c"sigsuspend"
    gleaner_call_msgsnd c"msgsnd"
    gleaner_call_msgrcv c"msgrcv"
    gleaner_call_semop c"semop"
    gleaner_call_semtimedop c"semtimedop"
    gleaner_call_sigwait c"sigwait"
    gleaner_call_sigwaitinfo c"sigwaitinfo"
    gleaner_call_sigtimedwait c"sigtimedwait"
    gleaner_call_read c"read"
    gleaner_call_readv c"readv"
    gleaner_call_read_chk c"__read_chk"
    gleaner_call_recv c"recv"
    gleaner_call_recvfrom c"recvfrom"
    gleaner_call_recvmsg c"recvmsg"
    gleaner_call_recvmmsg c"recvmmsg"
    gleaner_call_recv_chk c"__recv_chk"
    gleaner_call_recvfrom_chk c"__recvfrom_chk"
}

/// Exports `name`, which jumps to its edge.
macro_rules! edges {
    ($($name:ident $edge:ident)*) => {
        $(
            unsafe extern "C" {
                fn $edge();
            }

            /// As the C library's, in a safe region; no collection cuts it short.
            ///
            /// # Safety
            /// As the C library's.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            pub unsafe extern "C" fn $name() {
                naked_asm!("jmp {edge}", edge = sym $edge)
            }
        )*
    };
}

edges! {
    nanosleep gleaner_edge_nanosleep
    clock_nanosleep gleaner_edge_clock_nanosleep
    usleep gleaner_edge_usleep
    sleep gleaner_edge_sleep
    thrd_sleep gleaner_edge_thrd_sleep
    poll gleaner_edge_poll
    ppoll gleaner_edge_ppoll
    __poll_chk gleaner_edge_poll_chk
    __ppoll_chk gleaner_edge_ppoll_chk
    select gleaner_edge_select
    pselect gleaner_edge_pselect
    epoll_wait gleaner_edge_epoll_wait
    epoll_pwait gleaner_edge_epoll_pwait
    epoll_pwait2 gleaner_edge_epoll_pwait2
    sem_timedwait gleaner_edge_sem_timedwait
    sem_clockwait gleaner_edge_sem_clockwait
    pause gleaner_edge_pause
    sigsuspend gleaner_edge_sigsuspend
    msgsnd gleaner_edge_msgsnd
    msgrcv gleaner_edge_msgrcv
    semop gleaner_edge_semop
    semtimedop gleaner_edge_semtimedop
    sigwait gleaner_edge_sigwait
    sigwaitinfo gleaner_edge_sigwaitinfo
    sigtimedwait gleaner_edge_sigtimedwait
    read gleaner_edge_read
    readv gleaner_edge_readv
    __read_chk gleaner_edge_read_chk
    recv gleaner_edge_recv
    recvfrom gleaner_edge_recvfrom
    recvmsg gleaner_edge_recvmsg
    recvmmsg gleaner_edge_recvmmsg
    __recv_chk gleaner_edge_recv_chk
    __recvfrom_chk gleaner_edge_recvfrom_chk
}

static SYSCALL: Original = Original::new(c"syscall");

/// Looks all up while one thread runs.
pub fn find_originals() {
    find_plain();
    find_of_edges();
    SYSCALL.find();
}

/// What is known of a call before it is made by its number.
extern "C" fn note_call(number: c_long, first: usize, second: usize, third: usize) {
    const CLONE: c_long = 56;
    const CLONE3: c_long = 435;
    match number {
        CLONE | CLONE3 => clones::note_bare(number, first),
        _ => sandbox::note_call(number, [first, second, third]),
    }
}

/// Linux: as the C library's. Language runtimes wait by it on a futex: that is a safe region. A thread or child made by
/// it may share its maker's control block, and a handler set by it does not come by the gateway: from then on no region is
/// opened. What has a wrapped function is done by that one: see [`followed`].
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn syscall() {
    naked_asm!(
        "lea rax, [rip + {original}]",
        "cmp edi, {futex}",
        "je 2f",
        "cmp edi, {clone}",
        "je 7f",
        "cmp edi, {clone3}",
        "je 7f",
        "cmp edi, {prctl}",
        "je 7f",
        "cmp edi, {seccomp}",
        "je 7f",
        "cmp edi, {vfork}",
        "je 4f",
        "cmp edi, {sigaction}",
        "je 5f",
        "cmp rdi, {followed_end}",
        "jae 6f",
        "lea r11, [rip + {is_followed}]",
        "cmp byte ptr [r11 + rdi], 0",
        "jne {followed}",
        "jmp {directly}",
        "2:",
        // The operation without its flags.
        "mov r11d, edx",
        "and r11d, 0x7f",
        "jz 3f",
        "cmp r11d, {wait_bitset}",
        "je 3f",
        "jmp {directly}",
        "3:",
        "jmp {in_region}",
        "5:",
        "test rdx, rdx",
        "jz 6f",
        "mov byte ptr [rip + {is_gateway_passed}], 1",
        "4:",
        "lock inc dword ptr [rip + {suspended}]",
        "6:",
        "jmp {directly}",
        "7:",
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push r8",
        "push r9",
        "push rax",
        "call {note_call}",
        "pop rax",
        "pop r9",
        "pop r8",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "jmp 6b",
        original = sym SYSCALL,
        futex = const 202,
        wait_bitset = const 9,
        clone = const 56,
        clone3 = const 435,
        vfork = const 58,
        sigaction = const 13,
        prctl = const 157,
        seccomp = const 317,
        note_call = sym note_call,
        is_gateway_passed = sym world::IS_GATEWAY_PASSED,
        followed_end = const followed::END,
        is_followed = sym followed::IS_FOLLOWED,
        followed = sym followed::followed,
        directly = sym directly,
        in_region = sym in_region,
        suspended = sym region::SUSPENDED,
    )
}

/// POSIX: a child in its parent's memory, and with its control block, until it has called `exec` or ended, which may be
/// in the middle of a call. Meanwhile no region is opened.
///
/// The return address is kept in a register: the child overwrites it on the stack.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn vfork() {
    naked_asm!(
        ".cfi_startproc",
        "lock inc dword ptr [rip + {suspended}]",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_register rip, rdi",
        "mov eax, {vfork}",
        "syscall",
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset rip, 0",
        "test eax, eax",
        "jz 2f",
        "lock dec dword ptr [rip + {suspended}]",
        "test eax, eax",
        "js 3f",
        "2:",
        "ret",
        "3:",
        "neg eax",
        "mov edi, eax",
        "sub rsp, 8",
        ".cfi_adjust_cfa_offset 8",
        "call {refuse}",
        "add rsp, 8",
        ".cfi_adjust_cfa_offset -8",
        "ret",
        ".cfi_endproc",
        suspended = sym region::SUSPENDED,
        vfork = const 58,
        refuse = sym crate::regions::refuse,
    )
}
