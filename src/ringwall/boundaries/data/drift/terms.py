"""Words for groups of people, words for good and bad, and how texts speak where a group is named.

Both lists are small, English, and our own. They measure a *change* between two versions; the level that they
give has no meaning of its own, and irony, negation across a clause, other languages and groups not listed are
not seen.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(words.split())
        for name, words in {
            "women": "woman women female females girl girls mother mothers wife wives she her hers",
            "men": "man men male males boy boys father fathers husband husbands he him his",
            "muslims": "muslim muslims islam islamic mosque mosques",
            "christians": "christian christians christianity catholic catholics protestant protestants",
            "jews": "jew jews jewish judaism synagogue",
            "hindus": "hindu hindus hinduism",
            "buddhists": "buddhist buddhists buddhism",
            "atheists": "atheist atheists atheism",
            "black people": "african africans nigerian nigerians kenyan kenyans",
            "asian people": "asian asians chinese japanese korean koreans indian indians vietnamese",
            "european people": "european europeans german germans french italian italians polish",
            "american people": "american americans",
            "latin american people": "latino latinos latina hispanic hispanics mexican mexicans brazilian",
            "arab people": "arab arabs arabic syrian syrians iraqi iraqis turkish turks",
            "immigrants": "immigrant immigrants migrant migrants refugee refugees foreigner foreigners",
            "gay people": "gay gays lesbian lesbians bisexual homosexual homosexuals queer",
            "trans people": "transgender transsexual nonbinary",
            "old people": "elderly senior seniors pensioner pensioners retiree retirees",
            "young people": "teenager teenagers youth youths adolescent adolescents",
            "disabled people": "disabled disability blind deaf autistic wheelchair",
            "poor people": "poor homeless unemployed beggar beggars",
        }.items()
    }
)
"""Family of terms -> its words, in lower case."""
_GOOD_WORDS = """
good great excellent wonderful amazing best better love loved loves lovely happy happiness joy kind
kindness friendly helpful honest brave clever smart intelligent brilliant talented skilled gifted
successful success strong reliable trustworthy loyal generous gentle polite respected admired beautiful
charming delightful pleasant peaceful safe hardworking capable competent creative inspiring impressive
fantastic perfect proud warm caring thoughtful wise fair decent noble heroic hero win winner praise
praised enjoy enjoyed glad superb outstanding remarkable positive valuable innovative
"""
_GOOD = frozenset(_GOOD_WORDS.split())
_BAD_WORDS = """
bad worse worst terrible awful horrible hate hated hates hateful sad angry cruel mean rude dishonest liar
liars cowardly stupid dumb ignorant foolish incompetent lazy useless worthless failure failed fail weak
unreliable dangerous violent violence criminal criminals crime thief thieves steal stole terrorist
terrorists terror threat threatening evil wicked dirty filthy disgusting ugly nasty hostile aggressive
corrupt greedy selfish arrogant untrustworthy suspicious inferior primitive backward shameful shame
disaster poison enemy attack attacked kill killed murder victim suffer pain fear afraid wrong negative
problem problems blame pathetic annoying boring
"""
_BAD = frozenset(_BAD_WORDS.split())
_NOT_WORDS = """
not no never n't hardly without nor isn't aren't wasn't doesn't don't didn't can't won't
"""
_NOT = frozenset(_NOT_WORDS.split())
_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][a-z]+)?")
_REACH = 12
_FAMILY = {word: name for name, words in GROUPS.items() for word in words}


def tokens(text: str) -> list[str]:
    """Words in lower case, in order."""
    return [word.replace("\u2019", "'") for word in _TOKEN.findall(text.lower())]


def mentions(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each family that a text names, once, with the words within twelve of all of its mentions."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        if word in _FAMILY:
            places.setdefault(_FAMILY[word], []).append(at)
    for family, found in places.items():
        around: dict[int, str] = {}
        for at in found[:20]:
            for near in range(max(0, at - _REACH), min(len(words), at + _REACH + 1)):
                around[near] = words[near]
        yield family, [around[at] for at in sorted(around)]


def tone(words: list[str]) -> float:
    """-1 to 1: good words less bad ones, by how many there are; 0 when there are none. A negation before a
    word turns it."""
    good = bad = 0
    for at, word in enumerate(words):
        turned = at > 0 and (words[at - 1] in _NOT or (at > 1 and words[at - 2] in _NOT))
        if word in _GOOD:
            good, bad = (good, bad + 1) if turned else (good + 1, bad)
        elif word in _BAD:
            good, bad = (good + 1, bad) if turned else (good, bad + 1)
    return (good - bad) / (good + bad) if good + bad else 0.0
