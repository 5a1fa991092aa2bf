//! The search tree of a MaxMind DB file, checked before its networks are listed.
//!
//! Listing follows every path. A file in which paths share nodes has up to 2^128 of them: 32 nodes, each with both
//! records on the next one, are 2^32 networks. So each node must be reached once, and a file has no more networks than
//! records. Makers share one subtree only: that of IPv4 (`::/96`) is also what `::ffff:0:0/96`, `2002::/16` and
//! `2001::/32` lead to, and listing skips these aliases.

/// A search tree.
pub(crate) struct Tree<'a> {
    bytes: &'a [u8],
    nodes: usize,
    /// Bits of a record: 24, 28 or 32.
    record: u16,
}

/// What is wrong with a tree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It ends before its last node.
    Short,
    /// A node is reached on two paths.
    Shared,
}

impl<'a> Tree<'a> {
    /// The tree at the beginning of a file, with so many nodes and so many bits a record.
    pub(crate) fn new(bytes: &'a [u8], nodes: u32, record: u16) -> Result<Self, Wrong> {
        let nodes = nodes as usize;
        let length = nodes.checked_mul(usize::from(record) / 4).ok_or(Wrong::Short)?;
        let bytes = bytes.get(..length).ok_or(Wrong::Short)?;
        Ok(Self { bytes, nodes, record })
    }

    /// Checks that no node is reached twice, but for the one of IPv4 in a tree of IPv6, from outside of its subtree.
    pub(crate) fn check(&self, is_ipv6: bool) -> Result<(), Wrong> {
        let mut reached = vec![false; self.nodes];
        let ipv4 = is_ipv6.then(|| self.ipv4_node()).filter(|node| *node < self.nodes);
        if let Some(ipv4) = ipv4 {
            self.walk(ipv4, None, &mut reached)?;
        }
        if ipv4 == Some(0) { Ok(()) } else { self.walk(0, ipv4, &mut reached) }
    }

    /// Marks the nodes below one and itself, without those below an alias.
    fn walk(&self, start: usize, alias: Option<usize>, reached: &mut [bool]) -> Result<(), Wrong> {
        let mut ahead = vec![start];
        while let Some(node) = ahead.pop() {
            // Larger numbers are data, or none.
            if node >= self.nodes || Some(node) == alias {
                continue;
            }
            if std::mem::replace(&mut reached[node], true) {
                return Err(Wrong::Shared);
            }
            ahead.extend(self.records(node));
        }
        Ok(())
    }

    /// Where 96 bits of zero lead.
    fn ipv4_node(&self) -> usize {
        let mut node = 0;
        for _ in 0..96 {
            if node >= self.nodes {
                break;
            }
            node = self.records(node)[0];
        }
        node
    }

    /// Both records of a node.
    fn records(&self, node: usize) -> [usize; 2] {
        let size = usize::from(self.record) / 4;
        let bytes = &self.bytes[node * size..][..size];
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        let (left, right) = bytes.split_at(size / 2);
        match self.record {
            // The byte in the middle has the highest four bits of both.
            28 => {
                let middle = usize::from(bytes[3]);
                [(middle >> 4) << 24 | number(&bytes[..3]), (middle & 0xf) << 24 | number(&bytes[4..])]
            }
            _ => [number(left), number(right)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The bytes of a tree with such records.
    fn bytes(records: &[[u32; 2]], record: u16) -> Vec<u8> {
        let node = |[left, right]: &[u32; 2]| {
            let (left, right) = (left.to_be_bytes(), right.to_be_bytes());
            match record {
                24 => [&left[1..], &right[1..]].concat(),
                28 => [&left[1..], &[left[0] << 4 | right[0]], &right[1..]].concat(),
                _ => [left, right].concat(),
            }
        };
        records.iter().flat_map(node).collect()
    }

    fn check(records: &[[u32; 2]], record: u16, is_ipv6: bool) -> Result<(), Wrong> {
        Tree::new(&bytes(records, record), records.len() as u32, record)?.check(is_ipv6)
    }

    /// How many paths lead to the end of a tree, with the aliases of IPv4 left out as in listing; none if more than
    /// `most`, or deeper than an address is long.
    fn paths(records: &[[u32; 2]], is_ipv6: bool, most: usize) -> Option<usize> {
        let ipv4 = (0..96).fold(0, |node: u32, _| records.get(node as usize).map_or(node, |node| node[0]));
        let (mut ahead, mut found, mut steps) = (vec![(0_u32, 0, true)], 0, 0);
        while let Some((node, depth, zeros)) = ahead.pop() {
            steps += 1;
            if steps > most || depth > 128 {
                return None;
            }
            if is_ipv6 && ipv4 != 0 && node == ipv4 && !zeros {
                continue;
            }
            match records.get(node as usize) {
                None => found += 1,
                Some([left, right]) => {
                    let zeros_right = zeros && depth >= 96;
                    ahead.extend([(*left, depth + 1, zeros), (*right, depth + 1, zeros_right)]);
                }
            }
        }
        Some(found)
    }

    /// 96 nodes to the tree of IPv4, which has one node, and three aliases.
    fn with_aliases() -> Vec<[u32; 2]> {
        let mut records: Vec<[u32; 2]> = (0..96).map(|node| [node + 1, 1000]).collect();
        records.push([1000, 1001]);
        for depth in [80, 16, 3] {
            records[depth][1] = 96;
        }
        records
    }

    #[test]
    fn aliases_of_ipv4_are_allowed() {
        for record in [24, 28, 32] {
            assert_eq!(check(&with_aliases(), record, true), Ok(()), "{record}");
        }
        let mut other = with_aliases();
        other[3][1] = 90;
        assert_eq!(check(&other, 28, true), Err(Wrong::Shared), "not the node of IPv4");
        let mut cycle = with_aliases();
        cycle[96][1] = 96;
        assert_eq!(check(&cycle, 28, true), Err(Wrong::Shared), "an alias within IPv4");
    }

    #[test]
    fn shared_nodes_are_found() {
        let dag: Vec<[u32; 2]> = (0..32).map(|node| [node + 1; 2]).collect();
        for record in [24, 28, 32] {
            assert_eq!(check(&dag, record, false), Err(Wrong::Shared), "{record}");
            assert_eq!(check(&dag, record, true), Err(Wrong::Shared), "{record}");
        }
        assert_eq!(check(&[[0, 1]], 24, false), Err(Wrong::Shared), "a circle");
        assert_eq!(Tree::new(&[0; 5], 1, 24).err(), Some(Wrong::Short));
    }

    proptest! {
        /// What passes has no more paths than records.
        #[test]
        fn random_trees_have_few_paths_or_are_refused(
            records in (1..40_u32).prop_flat_map(|nodes| {
                prop::collection::vec([0..nodes * 3, 0..nodes * 3], nodes as usize)
            }),
            at in 0..3_usize,
            is_ipv6: bool,
        ) {
            if check(&records, [24, 28, 32][at], is_ipv6).is_ok() {
                let found = paths(&records, is_ipv6, 10_000);
                prop_assert!(found.is_some_and(|found| found <= records.len() + 1), "{:?}", found);
            }
        }

        /// Real trees pass, whatever their shape.
        #[test]
        fn trees_pass(choices in prop::collection::vec(any::<(bool, prop::sample::Index)>(), 0..200), is_ipv6: bool) {
            let mut records = vec![[u32::MAX >> 4; 2]];
            for (right, parent) in choices {
                let (parent, new) = (parent.index(records.len()), records.len() as u32);
                let record = &mut records[parent][usize::from(right)];
                if *record == u32::MAX >> 4 {
                    *record = new;
                    records.push([u32::MAX >> 4; 2]);
                }
            }
            prop_assert_eq!(check(&records, 28, is_ipv6), Ok(()));
        }
    }
}
