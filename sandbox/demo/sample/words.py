"""The words that every name in the sample data is made of; nothing here is a real person, band or song."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FEMALE_NAMES = _words(
    """
    Ada Alba Bea Bryn Cleo Dara Edda Elin Enya Fern Gaia Greta Hedda Ines Ione Iris Jora Juno Kaia Keira
    Leda Linnea Lotte Maeve Marit Mika Nell Nora Odile Orla Petra Pia Quinn Ria Romy Saga Selma Signe Tamsin
    Thea Una Vera Wilma Xenia Ylva Zora
    """
)
MALE_NAMES = _words(
    """
    Abel Anders Arlo Basil Bram Caspar Cyrus Dag Denzil Edgar Emil Ewan Felix Finn Gil Gregor Hal Hugo Ivo
    Jarle Jonas Kasper Kit Lars Leif Linus Magnus Milo Nils Noel Odin Olaf Otto Pelle Quill Rafe Rune Silas
    Soren Tobias Ulf Viggo Wendell Xander Yorick Zeno
    """
)
SURNAME_STARTS = _words(
    """
    Alder Ash Black Brook Clay Cold Dun East Elm Fair Fen Gold Grey Hart Haw Kings Lang Long Mar Moor North
    Oak Pen Rook Rose Sand Silver South Stan Stone Thorn Under West White Win Wood
    """
)
SURNAME_ENDS = _words(
    """
    bourne bridge bury by combe cott dale den field ford gate grave ham hurst land ley low man mere more
    ridge shaw side stead ton wall ward water wick worth
    """
)

PLACE_STARTS = _words(
    """
    Amber Birch Cedar Clear Copper Coral Crow Deer Dove Eagle Ember Falcon Flint Fox Glen Granite Green
    Heron Iron Juniper Lark Linden Maple Marble Mill Moss Otter Pebble Pine Quarry Raven Sable Sorrel Summit
    Thistle Timber Willow Wolf
    """
)
PLACE_ENDS = (
    *(
        f" {end}"
        for end in _words("Bay Bend Bluff Cove Creek Crossing Falls Grove Harbor Heights Hollow Junction")
    ),
    *(f" {end}" for end in _words("Lake Landing Meadows Mills Point Rapids Ridge Springs Valley")),
    *_words("burg dale field ford haven port ton view ville wood"),
)
STATES = _words(
    """
    AL AZ CA CO CT FL GA IA ID IL IN KS KY LA MA ME MI MN MO NC NE NH NJ NV NY OH OK OR PA SC TN TX UT VA WA
    WI
    """
)
COUNTRIES = (
    "Norvald",
    "Estmark",
    "Callow Isles",
    "Tarsia",
    "Vellinor",
    "Ostrana Coast",
    "Lumeria",
    "Brennland",
)

ADJECTIVES = _words(
    """
    Amber Ancient Bitter Blue Borrowed Broken Burning Careless Copper Crimson Crooked Distant Drowsy
    Electric Endless Faded Feral Final Flying Forgotten Frozen Gentle Gilded Golden Hidden Hollow Honest
    Humble Hungry Idle Invisible Iron Last Lazy Little Lonely Lost Lucky Midnight Modern Northern Orange
    Paper Patient Plastic Quiet Restless Rusty Secret Silent Silver Sleeping Slow Solar Southern Stolen
    Sudden Tangled Twisted Velvet Violet Wandering Wicked Wild Winter Wooden Yellow
    """
)
NOUNS = _words(
    """
    Anchor Arrow Avenue Balloon Battery Bicycle Bird Bridge Candle Carousel Castle Cinder Clock Cloud Comet
    Crown Diamond Door Dragon Drum Echo Elephant Engine Feather Fire Flag Forest Fountain Garden
    Ghost Harbour Harvest Heart Highway Horizon Island Jungle Kettle Kingdom Ladder Lantern Letter
    Lighthouse Lion Machine Magnet Map Mirror Moon Mountain Ocean Orchard Parade Pepper Piano Pilot Planet
    Pocket Radio Rain River Rocket Sailor Satellite Shadow Signal Sparrow Station Stone Storm Street Summer
    Sunday Telescope Thunder Tiger Tower Train Tunnel Umbrella Valley Violin Wagon Whale Window Wolf
    """
)
VERBS = _words(
    """
    Break Bring Build Burn Call Carry Chase Count Cross Dance Dream Drive Fall Feel Find Fly Follow Forget
    Hear Hold Keep Kiss Know Leave Lift Lose Love Meet Miss Move Need Open Paint Read Remember Ride Run Sing
    Sleep Steal Swim Take Teach Tell Touch Turn Wait Wake Walk Want Watch Write
    """
)
BAND_ENDS = (
    "Club",
    "Collective",
    "Committee",
    "Ensemble",
    "Five",
    "Orchestra",
    "Society",
    "Sound System",
    "Trio",
)
STAGE_NAMES = _words(
    """
    Dj Mc Lady Lord Captain Doctor Sister Brother Uncle Professor Baron Kid Queen King Saint Señor Mélanie
    Björg Zoë Andréa Søren Jürgen Łukasz Željko Chloé Íris Óscar Ümit Åsa Renée
    """
)
FOREIGN_WORDS = _words(
    """
    Corazón Café Éternité Señal Über Fjørd Größe Mañana Rêverie Ångström Noël Saudação Köln Déjà Façade Træ
    Nação Último Niño Élan Façon Müde Smörgås Jalapeño Forêt Garçon Naïve Hôtel Canción Órbita
    """
)
VERSIONS = (
    "Album Version",
    "Live",
    "Acoustic",
    "Remastered",
    "Radio Edit",
    "Explicit Album Version",
    "2007 Digital Remaster",
    "Instrumental",
    "Demo",
)
