//! The calls of the C library that wait: each is a safe region, so that no collection has to wake who waits there, nor
//! cuts the call short.
//!
//! Most go to the C library as they come. Some need more and are called through an edge: those that every signal would
//! end, since there may be no region where they are made (`sleeps.c`), those that take signals out of the queue
//! (`waits.c`), and those whose messages may hold addresses (`transfers.c`; those that send are in [`sent`](crate::sent)).
//!
//! Calls that the C library makes inside others are left out, and `pthread_join` and its kin: they unmap the stack of the
//! thread that has ended, which a collector may be reading.

use crate::{
    clones, faults, followed,
    passed::look_and_go,
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
            #[unsafe(link_section = ".text.hot")]
            pub unsafe extern "C" fn $name() {
                naked_asm!(
                    "lea rax, [rip + {original}]",
                    "cmp byte ptr [rip + {are_looked_at}], 0",
                    "je {in_region}",
                    "lea r11, [rip + {in_region}]",
                    "jmp {look_and_go}",
                    original = sym $name::ORIGINAL,
                    are_looked_at = sym faults::IS_ON,
                    in_region = sym in_region,
                    look_and_go = sym look_and_go,
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
    sendfile c"sendfile"
    sendfile64 c"sendfile64"
    copy_file_range c"copy_file_range"
    getrandom c"getrandom"
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
    sigpause c"sigpause"
    __sigpause c"__sigpause"
    __xpg_sigpause c"__xpg_sigpause"
    aio_suspend c"aio_suspend"
    aio_suspend64 c"aio_suspend64"
    gai_suspend c"gai_suspend"
}

// These wait for a device, where no signal reaches the thread before the call is over: the stop would last as long.
// `fallocate` of memory ends at a signal in older kernels.
regions! {
    find_of_files:
    pread c"pread"
    pread64 c"pread64"
    __pread_chk c"__pread_chk"
    __pread64_chk c"__pread64_chk"
    preadv c"preadv"
    preadv64 c"preadv64"
    preadv2 c"preadv2"
    preadv64v2 c"preadv64v2"
    pwrite c"pwrite"
    pwrite64 c"pwrite64"
    pwritev c"pwritev"
    pwritev64 c"pwritev64"
    pwritev2 c"pwritev2"
    pwritev64v2 c"pwritev64v2"
    fsync c"fsync"
    fdatasync c"fdatasync"
    sync c"sync"
    syncfs c"syncfs"
    sync_file_range c"sync_file_range"
    msync c"msync"
    fallocate c"fallocate"
    fallocate64 c"fallocate64"
    posix_fallocate c"posix_fallocate"
    posix_fallocate64 c"posix_fallocate64"
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
            #[unsafe(link_section = ".text.hot")]
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
    io_getevents gleaner_edge_io_getevents
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
    find_of_files();
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

/// The calls of the system's that may wait, or whose result may be short, by their numbers; but for those on a futex, of
/// which it depends.
static WAITS: [u8; followed::END] = {
    /// By name in the kernel's order: read, write, poll; pread64, pwrite64, readv, writev; select, msync, pause, nanosleep;
    /// sendfile, connect, accept, sendto, recvfrom, sendmsg, recvmsg; wait4; semop; msgsnd, msgrcv; fcntl, flock, fsync,
    /// fdatasync.
    const FIRST: &[usize] =
        &[0, 1, 7, 17, 18, 19, 20, 23, 26, 34, 35, 40, 42, 43, 44, 45, 46, 47, 61, 65, 69, 70, 72, 73, 74, 75];
    /// rt_sigtimedwait, rt_sigsuspend; sync; io_getevents, semtimedop, clock_nanosleep, epoll_wait; mq_timedsend,
    /// mq_timedreceive, waitid, pselect6, ppoll, splice, tee, sync_file_range, vmsplice, epoll_pwait, fallocate, accept4.
    const SECOND: &[usize] =
        &[128, 130, 162, 208, 220, 230, 232, 242, 243, 247, 270, 271, 275, 276, 277, 278, 281, 285, 288];
    /// preadv, pwritev, recvmmsg, syncfs, sendmmsg, getrandom, copy_file_range, preadv2, pwritev2, io_pgetevents,
    /// io_uring_enter, epoll_pwait2, futex_waitv, futex_wait.
    const THIRD: &[usize] = &[295, 296, 299, 306, 307, 318, 326, 327, 328, 333, 426, 441, 449, 455];
    let mut table = [0; followed::END];
    let groups = [FIRST, SECOND, THIRD];
    let mut group = 0;
    while group < groups.len() {
        let mut index = 0;
        while index < groups[group].len() {
            table[groups[group][index]] = 1;
            index += 1;
        }
        group += 1;
    }
    table
};

/// The operations on a futex that wait: FUTEX_WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI and LOCK_PI2, a bit each.
const FUTEX_WAITS: u32 = 1 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 13;

/// Linux: as the C library's. Waiting by it is a safe region, as by the function for that. A thread or child made by
/// it may share its maker's control block, and a handler set by it does not come by the gateway: from then on no region is
/// opened. What has a wrapped function is done by that one: see [`followed`].
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
#[unsafe(naked)]
#[unsafe(link_section = ".text.hot")]
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
        "cmp rdi, {known_end}",
        "jae 6f",
        "lea r11, [rip + {is_followed}]",
        "cmp byte ptr [r11 + rdi], 0",
        "jne {followed}",
        "lea r11, [rip + {waits}]",
        "cmp byte ptr [r11 + rdi], 0",
        "jne {in_region}",
        "jmp {directly}",
        "2:",
        // The operation without its flags.
        "mov r11d, edx",
        "and r11d, 0x7f",
        "mov r10d, {futex_waits}",
        "bt r10d, r11d",
        "jc {in_region}",
        "jmp {directly}",
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
        futex_waits = const FUTEX_WAITS,
        waits = sym WAITS,
        clone = const 56,
        clone3 = const 435,
        vfork = const 58,
        sigaction = const 13,
        prctl = const 157,
        seccomp = const 317,
        note_call = sym note_call,
        is_gateway_passed = sym world::IS_GATEWAY_PASSED,
        known_end = const followed::END,
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
#[unsafe(link_section = ".text.hot")]
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
