"""Common words of three to five letters, none the same backwards, short ones first."""

from __future__ import annotations

_TEXT = """
    act add age aid aim air ant ape arm art ash ask axe bag bar bat bed bee bet big bit box boy
    bud bug bus buy cab can cap car cat cow cry cub cup cut day den dig dog dot dry ear eat egg
    elf end fan far fat fig fin fit fly fog fox fun fur gap gas gem get gum guy ham hat hen hid
    hip hit hog hop hot hug hut ice ink jam jar jaw jet jog joy jug key kid kit lab lap law leg
    let lid lip log lot low man map mat mix mud mug net new nut oak oar oil old one owl own pan
    paw pea pen pet pie pig pin pit pot ram rat raw red rib rid rim rip rob rod row rub rug run
    sad sap saw say sea set shy sir sit six sky son sow spy sun tag tap tar tax tea ten tie tin
    tip toe ton top toy try tub two use van vet war wax web wet wig win yak yes zip zoo army away
    baby back ball band bank barn base bath bear beef bell belt bird blue boat body bone book boot
    bowl bulb bush cake calm camp cape card care cart case cave chef chin city clay club coal coat
    code coin cold cook corn crab crow cube dark date deer desk dish doll door dove down drum duck
    dust face fact farm fast film fire fish flag flat foam fold food foot fork frog fuel game gate
    gift girl glad goal goat gold golf good grid hair half hall hand hard harp head heat herb hero
    hill hint home hood hook hope horn hour huge idea inch iron jazz joke jump kind king kite knot
    lady lake lamb lamp land lane lawn lazy leaf lime line lion list loaf lock logo long luck lung
    mail main mask meal meat melt menu milk mill mind mint moon moth move myth nail name nest news
    nine note oven page palm park path pear pine pink plan play plum poem pond pony pool post rain
    ring road roof room root rope rose sail salt sand seed ship shoe shop silk sing skin snow soap
    sock sofa soft song soup star stem swan tail tent tide time town tree tube vase vest wall wave
    west wild wind wing wolf wood wool word yard year zero angel apple beach bread brick broom
    brown brush cabin camel candy chain chair chalk cheek chess child clock cloud coach coral
    crown daisy dance dream dress eagle earth field flame flute fruit ghost glass glove grape
    grass green heart honey horse hotel house juice knife lemon light lunch magic maple mouse
    music night north ocean olive onion paint panda paper party pearl piano pilot pizza plane
    plant plate queen quiet river robin robot salad sheep shell shirt smile snail snake spoon
    stone storm sugar table tiger toast torch tower train truck watch water whale wheat wheel
    white world zebra
"""

WORDS = tuple(_TEXT.split())
