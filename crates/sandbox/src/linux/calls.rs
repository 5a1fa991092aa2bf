//! System calls, by seccomp.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::restriction::Restriction;
use crate::needs::{Capability, Needs};

/// System calls for which a program that was taken over would reach.
const FORBIDDEN: [i64; 26] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_listen,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_open_by_handle_at,
];

/// Those that have to do with connections.
const NETWORK: [i64; 6] = [
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_accept,
    libc::SYS_accept4,
];
/// Kinds of sockets that are needed where connections are: names are looked up with the last of them.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Refuses system calls that are not needed.
pub(super) fn restrict_calls(needs: &Needs) -> Result<Restriction, Error> {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(Restriction::None) };
    let mut rules: BTreeMap<_, _> = FORBIDDEN.into_iter().map(|call| (call, Vec::new())).collect();
    if needs.network {
        rules.insert(libc::SYS_socket, vec![other_families(needs)?]);
    } else {
        rules.extend(NETWORK.map(|call| (call, Vec::new())));
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    let program = BpfProgram::try_from(filter)?;
    Ok(match seccompiler::apply_filter(&program) {
        Ok(()) => Restriction::Whole,
        Err(_) => Restriction::None,
    })
}

/// Sockets of other kinds than those that are needed.
fn other_families(needs: &Needs) -> Result<SeccompRule, Error> {
    let packet = needs.capabilities.contains(&Capability::NetRaw).then_some(libc::AF_PACKET);
    let families = FAMILIES.into_iter().chain(packet);
    let is_not = |family: i32| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(family.unsigned_abs()))
    };
    Ok(SeccompRule::new(families.map(is_not).collect::<Result<_, _>>()?)?)
}
