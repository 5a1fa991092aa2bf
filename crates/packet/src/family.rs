//! What a link layer says about the packet that it carries.

/// The IP version that the link layer announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Ipv4,
    Ipv6,
    /// The link layer does not say; the version field of the IP header decides.
    Either,
}

/// An IP packet and the version that the link layer announced for it.
pub(crate) type Layer3<'a> = (Family, &'a [u8]);
