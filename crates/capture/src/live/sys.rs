//! The calls to the kernel that have no safe form elsewhere. All unsafe code of the project is here.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::filter::Instruction;
use super::ring;

/// Sets an option whose value is plain bytes: no option with pointers in it goes through here.
pub(super) fn set_option(socket: BorrowedFd<'_>, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
    let len = value.len() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes at the pointer, which are those of `value`.
    let done = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value.as_ptr().cast(), len) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gets an option whose value is numbers of 32 bits.
pub(super) fn option<const N: usize>(socket: BorrowedFd<'_>, level: i32, name: i32) -> io::Result<[u32; N]> {
    let mut value = [0_u32; N];
    let mut len = size_of_val(&value) as libc::socklen_t;
    let at = value.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `len` bytes at the pointer, which is the size of `value`,
    // and any bytes are numbers.
    let done = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, at, &raw mut len) };
    if done == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

/// Sets the size of the receive buffer, above the system's limit where that is permitted.
pub(super) fn set_receive_buffer(socket: BorrowedFd<'_>, size: usize) -> io::Result<()> {
    use rustix::net::sockopt;
    match sockopt::set_socket_recv_buffer_size_force(socket, size) {
        Ok(()) => Ok(()),
        Err(_) => Ok(sockopt::set_socket_recv_buffer_size(socket, size)?),
    }
}

/// Has the kernel filter what the socket receives.
pub(super) fn attach(socket: BorrowedFd<'_>, program: &mut [Instruction]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len, filter: program.as_mut_ptr().cast() };
    let size = size_of_val(&program) as libc::socklen_t;
    let at = (&raw const program).cast();
    // SAFETY: the kernel reads the structure, and behind its pointer `len` instructions, whose
    // layout is that of `sock_filter`; it keeps a copy.
    let done =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, at, size) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Has a packet socket receive all packets of an interface from now on.
pub(super) fn bind_packet(socket: BorrowedFd<'_>, interface: u32) -> io::Result<()> {
    // SAFETY: it is numbers and bytes only, for which zeros are a value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = interface as i32;
    let len = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes at the pointer, which is the size of the structure.
    let done = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The length of the link-layer header in front of the IP packets that an interface receives.
pub(super) fn link_header(socket: BorrowedFd<'_>, interface: &str) -> io::Result<u32> {
    /// That of Ethernet, which the loopback interface has, too.
    const ETHERNET: u32 = 14;
    // SAFETY: it is numbers and bytes only, for which zeros are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let name = interface.bytes().take(libc::IFNAMSIZ - 1);
    request.ifr_name.iter_mut().zip(name).for_each(|(to, byte)| *to = byte as libc::c_char);
    // SAFETY: the kernel reads the name, which ends with a zero, and writes an address, both in the structure.
    // The type of the request is another with musl.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR as _, &raw mut request) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has written this field of the union.
    let kind = unsafe { request.ifr_ifru.ifru_hwaddr.sa_family };
    Ok(if matches!(kind, libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK) { ETHERNET } else { 0 })
}

/// The memory that a packet socket shares with the kernel: blocks of one size, each of which
/// belongs to one of both at a time.
pub(super) struct Ring {
    memory: NonNull<u8>,
    block_size: usize,
    blocks: usize,
    /// The memory lives as long as it is mapped, but the socket fills it.
    _socket: OwnedFd,
}

// SAFETY: the memory is no other thread's, and which one reads it makes no difference.
unsafe impl Send for Ring {}

impl Ring {
    /// Maps the ring that was set up for the socket with these sizes.
    pub(super) fn map(socket: &OwnedFd, block_size: usize, blocks: usize) -> io::Result<Self> {
        let kept = socket.try_clone()?;
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        let len = block_size * blocks;
        // SAFETY: new memory at a place that the kernel chooses; nothing else is there.
        let memory = unsafe { mmap(std::ptr::null_mut(), len, protection, flags, socket.as_fd(), 0)? };
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { memory, block_size, blocks, _socket: kept })
    }

    fn status(&self, block: usize) -> &AtomicU32 {
        assert!(block < self.blocks);
        // SAFETY: inside the memory, as the assertion and the block size say; aligned, as blocks
        // begin at pages and the offset is a multiple of 4. The kernel changes it as well, hence
        // an atomic.
        unsafe { self.memory.add(block * self.block_size + ring::status_offset()).cast().as_ref() }
    }

    /// The bytes of a block, if the kernel has handed it over.
    pub(super) fn block(&mut self, block: usize) -> Option<&[u8]> {
        if self.status(block).load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: inside the memory, as `status` has asserted. The kernel does not write to a block
        // that it handed over until it is released, for which the slice must be gone: both borrow
        // the ring mutably.
        Some(unsafe {
            std::slice::from_raw_parts(self.memory.add(block * self.block_size).as_ptr(), self.block_size)
        })
    }

    /// Gives a block back to the kernel.
    pub(super) fn release(&mut self, block: usize) {
        self.status(block).store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }

    pub(super) const fn blocks(&self) -> usize {
        self.blocks
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: what was mapped, once; slices of it have ended, as they borrow the ring.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), self.block_size * self.blocks) };
    }
}
