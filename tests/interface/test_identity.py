import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ringwall.boundaries.interface.identity import CONTROL
from ringwall.boundaries.interface.settings import PrincipalsSection, Roles
from ringwall.core import (
    ANONYMOUS,
    Action,
    Application,
    ConfigError,
    Crossing,
    CrossingKind,
    NoSettings,
    Principal,
    Services,
)


def judge(application, principal):
    control = CONTROL.build(NoSettings(), Services(application))
    return control.inspect(Crossing(CrossingKind.REQUEST, principal))


def test_no_credential_no_entry():
    assert judge(Application("a"), ANONYMOUS).action is Action.BLOCK
    assert (
        judge(Application("a"), Principal("operator", roles=frozenset({"operator"}))).action is Action.BLOCK
    )


def test_anonymous_only_where_the_application_says_so():
    assert judge(Application("a", anonymous=True), ANONYMOUS).action is Action.ALLOW
    # Without a credential there is nothing to hold against the roles: serving anonymously was asked for.
    assert (
        judge(Application("a", roles=frozenset({"agent"}), anonymous=True), ANONYMOUS).action is Action.ALLOW
    )


@given(st.frozensets(st.sampled_from("abcd")), st.frozensets(st.sampled_from("abcd")))
def test_a_role_of_the_application_is_needed(wanted, held):
    given_ = judge(Application("a", roles=wanted), Principal("casey", roles=held, credential="k"))
    assert (given_.action is Action.ALLOW) == (not wanted or bool(wanted & held))


def test_the_refusal_names_no_role():
    given_ = judge(
        Application("a", roles=frozenset({"treasurer"})),
        Principal("casey", roles=frozenset({"clerk"}), credential="k"),
    )
    said = " ".join([*given_.reasons, *(finding.message for finding in given_.findings)])
    assert "treasurer" not in said
    assert "clerk" not in said


ROLES = {
    "customer": {},
    "agent": {"inherits": "customer"},
    "manager": {"inherits": ["agent"], "may_approve": ["refund"]},
    "chief": {"inherits": ["manager", "operator"], "may_approve": "delete"},
}


def test_rights_are_inherited():
    roles = Roles(PrincipalsSection(roles=ROLES))
    assert roles.expand(["manager"]) == {"manager", "agent", "customer"}
    assert roles.may_approve(["chief"]) == {"refund", "delete"}
    assert roles.may_approve(["agent"]) == set()
    assert roles.console(["chief"])
    assert not roles.console(["manager"])


def test_there_is_always_an_operator_with_the_console():
    assert Roles().console(["operator"])
    assert Roles(PrincipalsSection(roles={"operator": {"may_approve": "refund"}})).console(["operator"])


def test_a_role_that_is_gone_brings_nothing():
    roles = Roles(PrincipalsSection(roles=ROLES))
    assert roles.expand(["ghost"]) == set()
    assert not roles.console(["ghost"])


def test_unknown_roles_are_refused_with_the_nearest():
    with pytest.raises(ValidationError, match="did you mean 'agent'"):
        PrincipalsSection(roles={"agent": {}, "boss": {"inherits": "agnt"}})
    with pytest.raises(ValidationError, match="did you mean 'agent'"):
        PrincipalsSection(roles={"agent": {}}, starter_keys=[{"subject": "s", "roles": ["agnet"]}])
    with pytest.raises(ConfigError, match="did you mean 'manager'"):
        Roles(PrincipalsSection(roles=ROLES)).check(["manger"])


@given(st.dictionaries(st.sampled_from("abcde"), st.lists(st.sampled_from("abcde"), max_size=3), max_size=5))
def test_circles_are_refused_and_only_circles(tree):
    known = {name: [p for p in parents if p in tree] for name, parents in tree.items()}

    def reaches(start):
        seen, todo = set(), list(known[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += known[name]
        return seen

    circular = any(name in reaches(name) for name in known)
    try:
        section = PrincipalsSection(roles={name: {"inherits": parents} for name, parents in known.items()})
    except ValidationError as error:
        assert circular
        assert "circle" in str(error)
    else:
        assert not circular
        for name in known:
            assert Roles(section).expand([name]) == reaches(name) | {name}
