"""The tree against the recursive definition of RFC 9162, section 2.1, and the published vectors."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.ledger import merkle

# Leaves and roots of the test vectors that implementations of RFC 6962 and 9162 share.
LEAVES = [
    bytes.fromhex(h)
    for h in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves: list[bytes]) -> bytes:
    """MTH(D[n]), word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def grown(leaves: list[bytes]) -> tuple[merkle.Frontier, dict[tuple[int, int], bytes]]:
    tree, nodes = merkle.Frontier(), {}
    for index, leaf in enumerate(leaves):
        for level, hashed in enumerate(tree.append(merkle.leaf_hash(leaf))):
            nodes[level, index >> level] = hashed
    return tree, nodes


def test_published_vectors() -> None:
    tree = merkle.Frontier()
    assert tree.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree.append(merkle.leaf_hash(leaf))
        assert tree.root().hex() == root


@given(st.integers(1, 70), st.data())
@settings(max_examples=80)
def test_proofs_are_those_of_the_rfc_and_verify(size: int, data: st.DataObject) -> None:
    leaves = [bytes([i]) * (i % 5) for i in range(size)]
    tree, nodes = grown(leaves)
    read = lambda level, number: nodes[level, number]  # noqa: E731
    root = mth(leaves)
    assert tree.root() == merkle.root(size, read) == root
    assert merkle.Frontier.read(size, read).root() == root

    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, read)
    leaf = merkle.leaf_hash(leaves[index])
    assert proof == path(index, leaves)
    assert merkle.verify_inclusion(leaf, index, size, proof, root)

    old = data.draw(st.integers(1, size))
    grow = merkle.consistency_proof(old, size, read)
    assert grow == subproof(old, leaves, True)
    assert merkle.verify_consistency(old, size, grow, mth(leaves[:old]), root)


@given(st.integers(2, 40), st.data())
@settings(max_examples=80)
def test_altered_proofs_fail(size: int, data: st.DataObject) -> None:
    leaves = [bytes([i]) for i in range(size)]
    _, nodes = grown(leaves)
    read = lambda level, number: nodes[level, number]  # noqa: E731
    root = mth(leaves)
    index = data.draw(st.integers(0, size - 1))
    leaf = merkle.leaf_hash(leaves[index])
    proof = merkle.inclusion_proof(index, size, read)
    at = data.draw(st.integers(0, len(proof) - 1))
    altered = [*proof[:at], bytes([proof[at][0] ^ 1]) + proof[at][1:], *proof[at + 1 :]]
    assert not merkle.verify_inclusion(leaf, index, size, altered, root)
    assert not merkle.verify_inclusion(leaf, index, size, proof[:-1], root)
    assert not merkle.verify_inclusion(leaf, index, size, [*proof, root], root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, root)
    assert not merkle.verify_inclusion(leaf, size, size, proof, root)

    old = data.draw(st.integers(1, size - 1))
    old_root = mth(leaves[:old])
    grow = merkle.consistency_proof(old, size, read)
    assert not merkle.verify_consistency(old, size, grow, mth([*leaves[: old - 1], b"forged"]), root)
    assert not merkle.verify_consistency(old, size, grow, old_root, old_root)
    assert not merkle.verify_consistency(old, size, grow[:-1], old_root, root)
    assert not merkle.verify_consistency(old, size, [*grow, root], old_root, root)


def test_what_is_outside_the_tree_is_refused() -> None:
    _, nodes = grown([b"a", b"b", b"c"])
    read = lambda level, number: nodes[level, number]  # noqa: E731
    for index in (-1, 3):
        with pytest.raises(ValueError, match="not in a tree"):
            merkle.inclusion_proof(index, 3, read)
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="no consistency proof"):
            merkle.consistency_proof(old, new, read)
        assert not merkle.verify_consistency(old, new, [], b"", b"")
    with pytest.raises(ValueError, match="peaks"):
        merkle.Frontier(3, [b"x"])
