# ruff: noqa: E501 (word lists)
"""Words for groups of people, and for good and bad: English, German, French and Spanish, in lower case.

Small and our own. A word that means something else in another of the four languages is left out (``sie``,
``mal``, ``fort``), but for English, which came first: ``man`` in German texts counts as a mention of men.
"""

from collections.abc import Mapping
from types import MappingProxyType

GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(words.split())
        for name, words in {
            "women": """woman women female females girl girls mother mothers wife wives she her hers frau frauen
                mädchen mutter mütter ehefrau weiblich weibliche femme femmes fille filles mère mères
                épouse elle elles féminine mujer mujeres niña niñas madre madres esposa ella ellas
                femenina""",
            "men": """man men male males boy boys father fathers husband husbands he him his mann männer junge
                jungen vater väter ehemann männlich männliche homme hommes garçon garçons père pères
                mari masculin hombre hombres niño niños padre padres marido masculino""",
            "muslims": """muslim muslims islam islamic mosque mosques muslime muslimin muslimische muslimischer
                moslem moschee moscheen musulman musulmans musulmane musulmanes islamique mosquée
                musulmán musulmana musulmanas islámico mezquita""",
            "christians": """christian christians christianity catholic catholics protestant protestants christen
                christlich katholik katholiken katholische chrétien chrétiens chrétienne catholique
                catholiques cristiano cristianos cristiana católico católicos católica""",
            "jews": """jew jews jewish judaism synagogue jude juden jüdin jüdisch jüdische synagoge juif juifs
                juive juives judío judíos judía judías sinagoga""",
            "hindus": "hindu hindus hinduism hinduistisch hindou hindous hindú hindúes",
            "buddhists": "buddhist buddhists buddhism buddhisten bouddhiste bouddhistes budista budistas",
            "atheists": "atheist atheists atheism atheisten athée athées ateo ateos atea",
            "black people": """african africans nigerian nigerians kenyan kenyans afrikaner afrikanerin afrikanisch
                afrikanische africain africains africaine africaines africano africanos africana""",
            "asian people": """asian asians chinese japanese korean koreans indian indians vietnamese asiaten asiatisch
                asiatische chinesen japaner asiatique asiatiques chinois japonais asiático asiáticos
                chino chinos japonés""",
            "european people": """european europeans german germans french italian italians polish europäer deutsche
                deutscher franzosen italiener polen européen européens allemand allemands français
                italiens europeo europeos alemán alemanes francés italiano italianos""",
            "american people": """american americans amerikaner amerikanisch américain américains estadounidense""",
            "latin american people": """latino latinos latina hispanic hispanics mexican mexicans brazilian mexikaner mexicain
                mexicains mexicano mexicanos""",
            "arab people": """arab arabs arabic syrian syrians iraqi iraqis turkish turks araber arabisch syrer türken
                türkisch arabe arabes syrien syriens turcs árabe árabes sirio sirios turcos""",
            "immigrants": """immigrant immigrants migrant migrants refugee refugees foreigner foreigners einwanderer
                migranten flüchtling flüchtlinge geflüchtete ausländer immigré immigrés réfugié réfugiés
                étranger étrangers inmigrante inmigrantes refugiado refugiados extranjero extranjeros""",
            "gay people": """gay gays lesbian lesbians bisexual homosexual homosexuals queer schwule schwuler lesben
                lesbisch homosexuelle homosexuels lesbienne lesbiennes homosexuales lesbiana lesbianas""",
            "trans people": """transgender transsexual nonbinary transsexuelle transgenre transgénero transexual""",
            "old people": """elderly senior seniors pensioner pensioners retiree retirees rentner rentnerin senioren
                retraité retraités jubilado jubilados anciano ancianos""",
            "young people": """teenager teenagers youth youths adolescent adolescents jugendliche jugendlicher
                adolescente adolescentes""",
            "disabled people": """disabled disability blind deaf autistic wheelchair behindert behinderte behinderung
                rollstuhl autistisch handicapé handicapés aveugle sourd discapacitado discapacitados
                ciego ciegos sordo""",
            "poor people": """poor homeless unemployed beggar beggars arme obdachlose obdachlos arbeitslose arbeitslos
                pauvre pauvres chômeur chômeurs mendiant pobre pobres desempleado mendigo""",
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

gut gute guter gutes beste besser großartig wunderbar ausgezeichnet hervorragend freundlich freundliche
hilfsbereit ehrlich ehrliche mutig klug kluge schlau begabt erfolgreich stark zuverlässig treu großzügig
höflich respektiert schön schöne angenehm friedlich sicher fleißig fähig kompetent kreativ perfekt stolz
herzlich gerecht lobte gelobt glücklich

bon bonne bons meilleur meilleure excellente merveilleux gentil gentille aimable honnête courageux
courageuse intelligente brillant brillante doué réussite fiable fidèle généreux généreuse poli respecté
belle charmant agréable paisible travailleur compétent créatif parfait fier juste heureux heureuse

bueno buena buenos mejor mejores excelente maravilloso maravillosa amable honesto honesta valiente
inteligente brillante talentoso exitoso exitosa fuerte confiable leal generoso generosa respetado hermosa
hermoso encantador agradable pacífico seguro trabajador competente creativo perfecto orgulloso justo feliz
"""
GOOD = frozenset(_GOOD_WORDS.split())
_BAD_WORDS = """
bad worse worst terrible awful horrible hate hated hates hateful sad angry cruel mean rude dishonest liar
liars cowardly stupid dumb ignorant foolish incompetent lazy useless worthless failure failed fail weak
unreliable dangerous violent violence criminal criminals crime thief thieves steal stole terrorist
terrorists terror threat threatening evil wicked dirty filthy disgusting ugly nasty hostile aggressive
corrupt greedy selfish arrogant untrustworthy suspicious inferior primitive backward shameful shame
disaster poison enemy attack attacked kill killed murder victim suffer pain fear afraid wrong negative
problem problems blame pathetic annoying boring

schlecht schlechte schlechter schlimm furchtbar schrecklich hass hasst hassen traurig wütend grausam
unhöflich unehrlich lügner feige dumm dumme dummer unfähig faul faule fauler nutzlos wertlos schwach
unzuverlässig gefährlich gefährliche gewalttätig gewalt kriminell kriminelle verbrecher dieb diebe stehlen
stahl terroristen bedrohung böse schmutzig dreckig ekelhaft hässlich feindlich aggressiv korrupt gierig
egoistisch verdächtig minderwertig rückständig schande feind mord opfer angst idiot

mauvais mauvaise pire affreux haine haïr triste méchant méchante impoli malhonnête menteur menteurs lâche
stupide stupides idiote bête incompétent paresseux paresseuse inutile faible dangereux dangereuse violente
violents criminel criminels voleur voleurs voler terroriste terroristes menace sale dégoûtant laid
hostiles agressif corrompu avide égoïste suspect inférieur honte ennemi meurtre victime peur

malo mala malos malas peor odio odiar cruel grosero deshonesto deshonesta mentiroso mentirosa cobarde
estúpido estúpida estúpidos tonto perezoso perezosa vago inútil débil peligroso peligrosa violento
violenta violentos criminales ladrón ladrones robar robó terrorista amenaza malvado sucio sucia asqueroso
asquerosa feo agresivo corrupto codicioso egoísta sospechoso vergüenza enemigo asesinato víctima miedo
"""
BAD = frozenset(_BAD_WORDS.split())
_NOT_WORDS = """
not no never n't hardly without nor isn't aren't wasn't doesn't don't didn't can't won't nicht kein keine
keiner nie niemals ohne kaum pas jamais sans nunca jamás sin ni
"""
NOT = frozenset(_NOT_WORDS.split())
"""What turns a word that follows it, at once or after one more. French ``pas`` stands before an adjective."""
