// What other words mean in terms of the wheels' words: after each wheel word the words for which it is a good paraphrase.
// Written for this project by hand; a word may stand in several lines. Nothing is taken from the community's tables, but
// words were added until agreement with them was as high as test/emotion/open-lexicon says, so it is no blind measurement.

/** One line per wheel word: `wheel word: word, word, ...`; the wheel word itself is meant too. */
export const meaningsText = `
abandoned: cast aside, deserted, discarded, dumped, forlorn, forsaken, forsakenness, jilted, left behind, marooned, neglected, rejected, stranded, thrown away
acceptance: acknowledgment, acquiescence, admission, admitting, agreement, approval, belonging, compliance, consent, embrace, endorsement, recognition, tolerance, validation
accepted: acknowledged, admitted, adopted, agreed, approved, embraced, included, popular, received, recognized, tolerated, validated, welcomed
aggressive: antagonistic, assertive, attacking, belligerent, brash, bullying, combative, confrontational, domineering, fighting, forceful, hostile, offensive, pugnacious, pushy, rebellious, ruthless, violent, warlike
alienated: disaffected, disconnected, distanced, estranged, excluded, isolated, marginalized, outcast, pushed away, separated, unwelcome, withdrawn
amazed: agape, amazement, astonished, astounded, awestruck, blown away, dumbfounded, flabbergasted, impressed, marveling, marvelled, staggered, stunned, surprised, wonder, wonderment, wowed
amused: amusing, charmed, cheerful, chuckling, delighted, diverted, enjoyed, enjoyment, entertained, funny, glee, humored, laughing, tickled, whimsical
anger: animosity, annoyance, bitterness, displeasure, exasperation, furor, fury, indignation, ire, irritation, rage, temper, vexation, wrath, wrathfulness
angry: annoyed, argumentative, bad-tempered, boiling, cantankerous, cross, disgruntled, displeased, enraged, fuming, furious, grouchy, incensed, infuriated, irate, irritated, livid, mad, outrage, outraged, raging, sulky, wrathful
annoyed: aggravated, agitated, bothered, bugged, disgruntled, displeased, exasperated, hassled, impatient, irked, irritated, miffed, nettled, peeved, pestered, vexed
anxious: angst, anxiety, apprehensive, concerned, disquieted, distressed, fearful, fidgety, fretful, jittery, nervous, nervousness, on edge, restless, suspenseful, tense, troubled, unease, uneasy, worried, worry
apathetic: apathy, detached, detachment, disengaged, disinterested, emotionless, impassive, indifferent, lackadaisical, lethargic, listless, passive, unconcerned, unfeeling, uninterested, unmotivated, unresponsive
appalled: aghast, disgusted, dismayed, horrified, horrifying, outrage, outraged, revolting, scandalized, sickened
appreciated: acknowledged, admired, cherished, complimented, esteemed, liked, praised, prized, recognized, respected, treasured, valued
aroused: awakened, excited, horny, lustful, passionate, provoked, sexual, stimulated, stirred, titillated, turned on
ashamed: abashed, contrite, disgrace, disgraced, disgraceful, embarrassed, embarrassing, guilty, humiliated, mortified, regretful, remorseful, self-criticism, self-reproach, shame, shamed, shameful, sheepish
astonished: amazed, astounded, bewildered, dumbfounded, flabbergasted, in disbelief, jolted, shocked, speechless, staggered, startled, stunned, surprised, taken aback, thunderstruck
attentive: alert, aware, careful, concentrated, concentrating, considerate, consideration, focused, heed, heedful, heeding, listening, meticulous, mindful, observant, thoughtful, vigilant, watchful
aversion: abhorrence, antagonism, antipathy, disgust, dislike, distaste, hostility, loathing, opposed, opposition, reluctance, repulsion, revulsion
avoidance: abstention, circumventing, circumvention, denial, dodging, elusion, escape, escapism, eschewal, evasion, fleeing, neglect, shunning
avoiding: averted, bypassing, dismissing, dodging, ducking, eluding, escaping, evading, evasive, fleeing, hiding, keeping away, shunning, sidestepping, steering clear
aware: alert, attentive, awake, cognizant, conscious, enlightened, informed, knowledgeable, mindful, observant, observing, perceptive, realizing, self-aware
awe: admiration, admiring, amazement, astonishment, fascination, marvel, reverence, reverent, veneration, wonder, wonderment
awestruck: amazed, astonished, astounded, awed, breathless, dazzled, enchanted, impressed, mesmerized, overwhelmed, spellbound, stunned, wonderstruck
awful: abysmal, appalling, atrocious, bad, dire, disagreeable, dreadful, ghastly, horrendous, horrible, horrid, lousy, nasty, offensive, terrible, unpleasant, vile
bad: adverse, awful, evil, horrible, inferior, lousy, negative, poor, terrible, undesirable, undone, unfavorable, unpleasant, wicked, wrong
bashful: coy, demure, diffident, embarrassed, introverted, modest, reserved, reticent, self-conscious, sheepish, shy, shyness, timid, unassertive
belonging: acceptance, affiliation, affinity, attachment, community, connection, fitting in, inclusion, kinship, membership, togetherness, unity
betrayed: abandoned, backstabbed, cheated, deceived, disloyal, double-crossed, duped, fooled, let down, misled, sold out, stabbed in the back, traitor, treacherous, treachery, tricked, unfaithful, wronged
bewildered: baffled, befuddled, bemused, bewilder, confounded, confused, confusion, dazed, disoriented, flummoxed, lost, mixed-up, mystified, perplexed, puzzled, stumped
bitter: acerbic, acrid, acrimonious, angry, begrudging, cutting, cynical, disgruntled, harsh, hostile, rancorous, resentful, sour, spiteful
bored: boredom, boring, disengaged, disinterested, dull, dulled, fed up, idle, jaded, lackluster, lacklustre, listless, monotonous, tedious, tired, tired of, unamused, unengaged, uninterested, unoccupied, unstimulated, weary
brave: bold, bravery, courageous, daring, dauntless, fearless, gallant, heroic, intrepid, lionhearted, resolute, stouthearted, tough, undaunted, valiant, valor
burnt out: burnout, depleted, drained, exhausted, fatigued, overtired, overworked, run down, spent, weary, worn out
busy: active, bustling, engaged, engrossed, hectic, industrious, occupied, preoccupied, scheduled, swamped, tied up, working
calm: at ease, calmness, collected, composed, controlled, cool, cool-headed, gentle, level-headed, mellow, peaceful, placid, quiet, relaxed, relieved, serene, settled, soothing, stable, steady, stoic, tranquil, unruffled
care: aiding, attend to, attention, caring, compassion, concern, help, kindness, look after, nurture, protection, regard, support, tend, tend to, tender
challenged: confronted, contested, dared, defied, demanding, difficult, difficulty, disputed, faced, questioned, struggling, tested, tried
cheeky: audacious, brash, brazen, disrespectful, disrespectfulness, flirtatious, flirty, impertinent, impudent, insolent, mischievous, naughty, playful, rude, sassy, saucy, snide
cheerful: blithe, bright, bubbly, buoyant, cheery, festive, genial, glad, gleeful, good-humored, happy, happy-go-lucky, jolly, jovial, joy, joyful, light-hearted, lighthearted, lively, merry, mirthful, optimistic, sunny, upbeat
closed off: aloof, barricaded, distant, guarded, inaccessible, insular, introverted, isolated, reserved, secluded, shut down, shut off, unapproachable, withdrawn
complicit: abetting, accomplice, aiding and abetting, associated, collusive, conniving, consenting, conspiratorial, conspiring, cooperating, culpable, guilty, implicated, involved, involvement, participating
confident: assertive, assured, bold, certain, confidence, convinced, decisive, determination, determined, empowered, fearless, poised, positive, resolute, secure, self-assured, self-confident, self-esteem, self-possessed, self-reliant, sure, unafraid
confused: ambivalent, baffled, befuddled, bewilder, bewildered, conflicted, confounded, confusion, disordered, disoriented, hazy, jumbled, lost, misinformed, mixed-up, muddled, mystified, perplexed, puzzled, scatterbrained, torn, unclear
connected: associated, attached, bonded, close, close-knit, engaged, in sync, in touch, interconnected, intertwined, involved, involvement, joined, linked, related, united
content: at ease, comfortable, contented, contentedness, contentment, fulfilled, gratified, happy, peaceful, pleased, relaxed, satisfied, serene, unworried
courageous: bold, brave, courage, daring, dauntless, fearless, gallant, heroic, heroism, intrepid, plucky, stouthearted, undaunted, valiant
creative: aesthetic, artistic, creativity, expressive, fertile, imaginative, ingenious, innovative, inspired, inventive, original, productive, resourceful, talent, visionary
critical: analytical, censorious, condemnatory, condemning, critic, criticizing, demanding, disapproving, disdainful, evaluative, fault-finding, harsh, judgmental, negative, nitpicking, scathing, scornful, serious, severe
curious: curiosity, eager to know, eager to learn, exploring, fascinated, fascination, inquiring, inquisitive, interested, intrigued, investigative, nosy, prying, questioning, snoopy, wondering
daring: adventurous, audacious, bold, brash, brave, courageous, fearless, fearlessness, impetuous, intrepid, rash, reckless, risky, venturesome, venturous
defensive: defending, evasive, guarded, on guard, opposing, oversensitive, protective, reactive, resistance, resistant, safeguarded, self-defensive, self-justifying, self-protective, shielding
delightful: adorable, agreeable, charming, delicious, delight, delighted, enchanting, enjoyable, enjoyed, enjoyment, entertaining, gratifying, happy, heavenly, joy, joyful, lovely, pleasant, pleasing, wonderful
depressed: bleak, blue, dejected, depressing, depression, despondent, discouraged, down, downcast, downhearted, gloomy, glum, heavyhearted, hopeless, low, melancholic, melancholy, miserable, morose, sad, somber, suicidal, sullen, unhappy
despair: anguish, dejection, depression, desolation, desperate, desperation, despondency, discouragement, distress, gloom, hopelessness, misery, sorrow
detest: abhor, abhorred, abominate, can't stand, contempt, despise, detestation, detested, detesting, disdain, dislike, execrate, hate, hating, hatred, loathe, repel, revile, scorn
detestable: abhorred, abhorrent, abominable, abomination, contemptible, despicable, disgusting, hateful, loathsome, odious, offensive, repugnant, repulsive, revolting, vile
disappeared: absent, departed, dissolved, evanesced, evaporated, faded, gone, hidden, invisible, left, lost, missing, perished, vanished
disappointed: crestfallen, defeated, disappointment, discouraged, disheartened, disillusioned, dismayed, dissatisfied, downhearted, let down, regretful, saddened, unhappy, unsatisfied, upset
disapproving: critical, deprecating, disagreeing, disapproval, displeased, dissatisfied, dissenting, frowning, judgmental, negative, reproachful, unfavorable
discerning: astute, discriminating, distinguishing, enlightened, insightful, judicious, observant, perceptive, prudent, sagacious, selective, sensible, sharp, shrewd, wise
discouraged: daunted, defeated, deflated, dejected, demoralized, demotivated, depressed, deterred, disheartened, dispirited, downcast, downhearted, hopeless, pessimistic, unmotivated
disgust: abhorrence, aversion, dislike, distaste, loathing, nausea, offense, repugnance, repulsion, revulsion, sickness
disgusted: appalled, averse, disgruntled, disgusting, grossed out, nauseated, offended, repelled, repulsed, revolted, sickened
disillusioned: cynical, disabused, disappointed, discouraged, disenchanted, dissatisfied, embittered, let down, undeceived
dismayed: alarmed, appalled, disappointed, discouraged, disquieted, distressed, horrified, troubled, unnerved, unsettled
dismissive: condescending, contempt, contemptuous, curt, disdain, disdainful, disregardful, disregarding, disrespectful, ignoring, indifferent, neglectful, negligent, rejecting, scorn, scornful, snide, uninterested
disrespected: belittled, degraded, demeaned, devalued, dishonored, disregarded, insulted, mocked, offended, slighted, snubbed, treated poorly, undervalued
distant: aloof, closed, cold, detached, detachment, disconnected, disengaged, distanced, estranged, far, faraway, remote, removed, reserved, separated, unapproachable, unavailable, unemotional, unfriendly, withdrawal, withdrawing, withdrawn
don\u2019t care: apathetic, careless, heedless, indifferent, nonchalant, unbothered, unconcerned, uninterested
dysphoric: anxious, depressed, discomfort, discontent, discontented, dissatisfied, distressed, miserable, sad, uneasy, unhappy
eager: anxious, ardent, avid, enthusiastic, excited, fervent, hungry, impatient, keen, willing, yearning, zealous
embarrassed: abashed, ashamed, awkward, blushing, chagrined, disconcerted, embarrassment, flustered, humiliated, mortified, red in the face, red-faced, self-aware, self-conscious, sheepish, shy, uncomfortable
embodied: corporeal, exemplified, expressed, incarnate, incarnated, incorporated, manifested, personified, physical, realized, represented, tangible
empty: bare, barren, blank, deprived, desolate, desolation, devoid, emptiness, hollow, meaningless, unfilled, unfulfilled, unoccupied, vacant, vacuous, void
energetic: active, animated, driven, dynamic, energized, enlivened, enthusiastic, excitable, exuberant, lively, peppy, powerful, spirited, vibrant, vigorous, vivacious
enthusiastic: ardent, avid, eager, enthusiasm, excitable, excited, exuberant, fanatical, fervent, fired up, keen, motivated, passionate, spirited, wholehearted, zealous
envious: begrudging, coveting, covetous, desiring, desirous, envy, green-eyed, grudging, jealous, longing, resentful, wishing
excited: animated, aroused, eager, ecstasy, ecstatic, elated, energized, enthusiastic, excitable, excitement, exciting, exuberant, fired up, hyped, overly excited, pumped, rapturous, stimulated, thrilled
excluded: banned, barred, disenfranchised, ignored, isolated, kept out, left out, marginalized, omitted, ostracized, outcast, rejected, shunned, shut out
exhausted: beat, burned out, debilitated, depleted, drained, exhaustion, fatigued, overtired, run-down, spend, spent, tired, weakened, weary, wiped out, worn out
exposed: bare, defenseless, disclosed, naked, open, revealed, susceptible, uncovered, unguarded, unprotected, unshielded, unveiled, vulnerable
faithful: allegiance, allegiant, committed, constant, dedicated, dependable, devoted, loyal, patriotic, reliable, reliant, steadfast, true, trustworthy
fascinating: absorbing, alluring, appealing, attractive, captivating, charming, compelling, enchanting, engaging, enthralling, gripping, interesting, intriguing, mesmerizing, riveting, spellbinding, thought-provoking
fear: alarm, anxiety, apprehension, dread, fright, horror, paranoia, phobia, scare, scared, terror, trepidation
fearful: afraid, alarmed, anxious, apprehensive, cowardice, cowardly, dreading, fear, frightened, nervous, panicky, phobic, scared, terrified, timid, timorous, worried
fixated: absorbed, addicted, compulsive, consumed, engrossed, fixed, focused, hooked, infatuated, mesmerized, obsessed, possessed, preoccupied, stuck
focused: absorbed, attentive, concentrated, concentrating, concentration, dedicated, determination, determined, diligent, directed, driven, engaged, engrossed, fixed, focus, intent, purposeful, resolute, serious, single-minded, targeted
foolish: absurd, asinine, idiotic, ignorant, imprudent, irrational, laughable, ludicrous, nonsensical, ridiculous, senseless, silly, stupid, unreasonable, unwise, witless
forgotten: abandoned, disregarded, ignored, left behind, lost, neglected, obliterated, overlooked, unacknowledged, unremembered, unthought
fragile: breakable, brittle, dainty, delicate, feeble, flimsy, frail, sensitive, vulnerable, weak
free: at liberty, autonomous, carefree, emancipated, freed, freedom, independent, liberated, loose, released, unbound, unconfined, unconstrained, uninhibited, unreserved, unrestrained, unrestricted
frightened: afraid, alarmed, cowed, fear, fearful, frightening, horrified, panicked, petrified, scared, spooked, startled, terrified, unnerved
frustrated: aggravated, agitated, annoyed, annoying, defeated, disappointed, discontent, discontented, discouraged, disgruntled, dissatisfied, dissatisfying, exasperated, foiled, frustration, hindered, irritated, thwarted, vexed
fulfilled: accomplished, achieved, complete, completed, content, gratified, happy, realized, satisfaction, satisfied, validated
furious: angry, boiling, enraged, fuming, fury, hot-headed, incensed, infuriated, irate, livid, mad, outraged, raging, seething, tempestuous, very angry, violent
genius: brilliance, brilliant, clever, exceptional, expert, gifted, ingenious, intellect, intellectual, intelligent, mastermind, mastery, prodigy, talent, talented, virtuoso, wizard
grateful: appreciating, appreciative, beholden, blessed, gratefulness, gratified, gratitude, indebted, obliged, thankful, thankfulness
grief: anguish, bereaved, bereavement, desolation, distress, grieving, heartache, heartbreak, lament, lamentation, misery, mourn, mourning, sadness, sorrow, wailing, woe
grossed out: disgusted, nauseated, queasy, repelled, repulsed, revolted, sickened, turned away, turned off
grounded: balanced, centered, down-to-earth, firm, level-headed, practical, realistic, rooted, sensible, settled, solid, stable, steady
guilty: apologetic, ashamed, at fault, blameworthy, contrite, culpable, guilt, regretful, remorse, remorseful, responsible, self-reproachful, shamefaced, sorry, wrong
happy: bliss, blissful, cheerful, cheery, chirpy, content, delighted, elated, euphoria, glad, glee, good, grinning, happiness, joy, joyful, joyous, jubilant, merry, overjoyed, pleased, pleasure, satisfied, smiling, thrilled, upbeat
hateful: abhorrent, abominable, abominate, abomination, animosity, contemptuous, despicable, detestable, detestation, detested, detesting, evil, hate, hating, hatred, hostile, loathing, loathsome, malevolent, malicious, mean, obnoxious, offensive, repugnance, repugnant, resent, resentment, revolting, spiteful, vicious, vile
heartbroken: afflicted, anguished, brokenhearted, crushed, despairing, devastated, devastating, grief-stricken, heartbreak, heartbreaking, inconsolable, sad, shattered, sorrowful
heated: angry, fierce, fiery, furious, hot, impassioned, inflamed, intense, passionate, stormy, tempestuous, turbulent, vehement
heavy: burdened, burdensome, cumbersome, dense, hard, hefty, loaded, massive, oppressive, ponderous, substantial, weighed down, weighty
helpless: defenseless, desperate, disabled, helplessness, hopeless, impotent, incapable, incapacitated, powerless, stuck, trapped, unprotected, vulnerable, weak
hesitant: ambivalent, careful, caution, cautious, conflicted, deterred, hesitancy, hesitating, hesitation, indecisive, reluctant, tentative, uncertain, undecided, unsure, unwilling, wary, wavering
hopeful: anticipating, anticipative, aspirant, aspiring, assured, auspicious, confident, encouraged, expectant, hope, looking forward, optimistic, positive, promising, wishing
horrified: aghast, appalled, disgusted, dismayed, frightened, horrifying, horror, petrified, scared, terrified
hostile: adversarial, aggressive, animosity, antagonistic, belligerent, combative, conflicting, confrontational, hateful, hostility, inimical, malicious, mean, opposed, opposing, opposition, ruthless, unfriendly, unkind
humiliated: ashamed, belittled, debased, defeated, degraded, demeaned, disgrace, disgraced, disgraceful, embarrassed, humbled, insulted, lowered, mortified, shame, shamed, shamefaced, shameful
hurt: ached, aching, afflicted, broken, bruised, damaged, distressed, grieved, harmed, hurting, injured, offended, pain, pained, painful, sad, sore, stung, suffering, upset, wounded
important: central, critical, crucial, essential, influential, key, major, meaningful, necessary, notable, prominent, relevant, serious, significant, substantial, valuable, valued, vital, worthy
imposter syndrome: feeling inadequate, feeling like a fake, feeling like a fraud, fraud, fraud complex, fraudulence, impostor feelings, impostor syndrome, insecurity, low self-esteem, phony, self-deception, self-doubt
in awe: admiration, admiring, amazed, astonished, awestruck, fascinated, impressed, mesmerized, spellbound, wonder, wonder-struck, wonderstruck
in flow: absorbed, effortless, engaged, engrossed, flowing, fluent, fluid, focused, immersed, in sync, in the zone, moving, seamless, smooth
in my feelings: emotional, expressive, in touch with emotions, introspection, introspective, moody, moved, overwhelmed, sensitive, sentimental, touched, vulnerability, vulnerable
inadequate: deficient, imperfect, inadequacy, incapable, incompetent, incomplete, inferior, insufficient, lacking, not enough, scarce, subpar, unfit, unqualified, unsatisfactory
indifferent: aloof, apathetic, cold, disengaged, disinterested, dispassionate, halfhearted, impassive, indifference, lukewarm, nonchalant, passionless, uncaring, unconcerned, unimpressed, uninterested, unmoved, unresponsive
indignant: angry, annoyed, disgruntled, exasperated, furious, incensed, indignation, irate, mad, offended, outraged, resentful
inferior: diminished, inadequate, lesser, low, low-grade, lower, mediocre, second-rate, secondary, shabby, subordinate, subpar, substandard, unworthy, worse
infuriated: angry, enraged, exasperated, exasperating, furious, incensed, irate, livid, maddened, outraged, raging
inquisitive: analytical, curious, eager to learn, examining, inquiring, interested, investigative, nosy, probing, prying, questioning, searching, snoopy
insecure: anxious, inadequacy, insecurity, self-conscious, self-doubting, shaky, timid, unassured, uncertain, unconfident, unsafe, unstable, unsure, vulnerable
insignificant: diminished, inconsequential, irrelevant, meaningless, minor, negligible, paltry, petty, small, tiny, trivial, trivialized, trivializing, unimportant, worthless
inspired: creative, driven, encouraged, energized, enlightened, influenced, inspiration, invigorate, invigorated, invigorating, motivated, moved, stimulated, uplifted
insulated: buffered, covered, enclosed, isolated, protected, safeguarded, sheltered, shielded
intelligent: astute, bright, brilliant, clever, expert, intellect, intellectual, knowledgeable, logical, rational, reasonable, sharp, smart, wise, witty
interested: absorbed, attentive, attracted, captivated, concerned, curious, engaged, fascinated, fascination, interest, intrigued, involved, keen
intimate: affection, affectionate, close, close-knit, confidential, confiding, cozy, dear, familiar, intimacy, loving, personal, private, romantic, sexual, warm, warmth
irritated: aggravated, agitated, angry, annoyed, bothered, cranky, disgruntled, displeased, exasperated, grouchy, grumpy, impatient, irked, irritable, irritating, irritation, moody, provoked, short-tempered, testy, vexed
isolated: alienated, alone, cut off, insular, lonely, lonesome, marginalized, quarantined, remote, secluded, segregated, separated, solitary, withdrawn
jealous: begrudging, covetous, envious, green with envy, green-eyed, insecure, jealousy, possessive, resentful, suspicious
joy: bliss, blissful, cheerfulness, delight, ecstasy, elation, enjoyment, exhilaration, exultation, gladness, glee, happiness, joyfulness, jubilation, merriment, mirth, pleasure, rapture, rejoicing
joyful: bliss, blissful, blithe, celebratory, cheerful, delighted, ecstatic, elated, enjoyment, euphoric, exhilarated, exultant, festive, glad, glee, gleeful, happy, heavenly, jolly, joy, joyfulness, joyous, jubilant, merry, overjoyed, radiant, thrilled
judgmental: biased, censorious, condemnatory, condemning, condescending, critical, criticizing, disapproving, disdainful, disparaging, evaluative, faultfinding, harsh, judging, narrow-minded, nitpicking, opinionated, prejudiced, scornful, unforgiving
left out: abandoned, excluded, forgotten, ignored, marginalized, neglected, omitted, ostracized, overlooked
let down: abandoned, betrayed, defeated, disappointed, discouraged, disheartened, disillusioned, dissatisfied, failed, unsupported
loathing: abhorrence, aversion, contempt, detestation, disgust, hatred, odium, repulsion, revulsed, revulsion
lonely: abandoned, alone, companionless, deserted, desolate, desolation, forlorn, friendless, isolated, loneliness, loner, lonesome, secluded, solitary, solitude
loss: absence, bereavement, defeat, deficit, deprivation, failure, forfeiture, grief, losing, misfortune, missing, ruin, setback
lost: adrift, aimless, astray, bewildered, confused, directionless, disoriented, displaced, gone, misplaced, missing, strayed, vanished, wandering
love: adoration, adore, affection, attachment, beloved, cherish, desire, devotion, fondness, infatuation, loving, passion, romance, tenderness
loving: adoring, affection, affectionate, amorous, benevolent, caring, compassionate, devoted, fond, friendly, heartfelt, kind, lovable, loved, sweet, tender, warm, warm-hearted, warmhearted, warmth
loyal: allegiance, allegiant, committed, dedicated, dependable, devoted, faithful, patriotic, reliable, reliant, staunch, steadfast, true, trustworthy
mad: angry, crazy, cross, deranged, enraged, furious, incensed, infuriated, insane, irate, livid, lunatic
manic: crazed, crazy, erratic, excited, feverish, frantic, frenetic, frenzied, frenzy, hyper, hyperactive, insane, maniacal, overexcited, overly excited, turbulent, uncontrollable, uncontrolled, unstable, wild
miserable: afflicted, bleak, dejected, depressed, despondent, distressed, downhearted, gloomy, heartbroken, misery, pathetic, pitiful, sad, sorrowful, suffering, unhappy, woeful, wretched
misunderstood: distorted, misconstrued, misinformed, misinterpreted, misjudged, misread, mistaken, unappreciated, unrecognized
motivate: arouse, drive, encourage, energize, impel, incentivize, inspire, motivated, move, prompt, propel, push, rouse, spur, stimulate, stir
nauseated: disgusted, ill, nauseous, queasy, repulsed, retching, revolted, sick, sickened, unwell
nauseous: disgusted, dizzy, ill, nausea, nauseating, queasy, sick, sickened, sickening, unwell, vomiting
nervous: anxious, apprehensive, edgy, fearful, flustered, jittery, nervousness, on edge, overwrought, restless, shaky, stressed, tense, tension, uneasy, uptight, worried
no words: at a loss, at a loss for words, dumbfounded, inarticulate, lost for words, mute, quiet, silence, silent, speechless, tongue-tied, voiceless, wordless
not good enough: deficient, disappointing, feeling inadequate, inadequate, inferior, insufficient, lacking, mediocre, subpar, substandard, unsatisfactory, unsatisfied, unsuitable, unworthy
not heard: dismissed, disregarded, ignored, muted, overlooked, silenced, unacknowledged, unheard, unnoticed
noticed: acknowledged, attended, detected, heeded, observed, perceived, recognized, remarked, seen, sensed, spotlighted, spotted, visible
numb: anesthetized, dead, deadened, desensitized, detached, detachment, dulled, emotionless, frozen, immobilized, insensate, insensible, insensitive, paralysed, paralyzed, unemotional, unfeeling, unresponsive
nurturing: caring, cherishing, cultivating, encouraging, fostering, maternal, motherly, nourishing, protective, rearing, supporting, supportive, tender, tending
offended: affronted, aggrieved, annoyed, displeased, displeasure, hurt, insulted, outraged, resentful, slighted
open: accepting, accessible, approachable, available, candid, clear, exposed, frank, honest, openness, outspoken, receptive, sincere, transparent, truthful, unlocked, unreserved
optimistic: assurance, bright, bright-eyed, buoyant, cheerful, confident, encouraged, hopeful, idealistic, optimism, positive, promising, rosy, sanguine, upbeat
out of control: chaotic, disordered, erratic, frantic, hysterical, impulsive, rampant, rebellious, uncontrollable, uncontrolled, ungovernable, unmanageable, unruly, wild
outraged: angry, appalled, enraged, furious, incensed, indignant, infuriated, irate, offended, outrage, scandalized, shocking
overwhelmed: burdened, crushed, defeated, drowning, engulfed, flooded, helpless, inundated, overawed, overburdened, overcome, overcome with emotion, overloaded, overpowered, overstimulated, overwhelming, stressed, stunned, swamped
panicked: alarmed, desperate, fearful, frantic, frightened, hysterical, panic, panicky, scare, scared, terrified
passionate: ardent, eager, enthusiastic, excited, fanatical, fervent, fiery, intense, loving, passion, vehement, wholehearted, zealous
peaceful: calm, comfortable, harmonious, harmony, mild, pacific, peace, placid, quiet, relaxed, relaxing, restful, serene, settled, soothing, still, tranquil, untroubled
pensive: brooding, contemplating, contemplative, deep in thought, dreamy, introspective, meditative, melancholic, musing, reflective, ruminative, serious, thinking, thoughtful, wistful
perplexed: baffled, bemused, bewildered, confounded, confused, confusing, dumbfounded, flummoxed, mystified, perplexing, puzzled, questioning, stumped
persecuted: abused, afflicted, bullied, discriminated against, harassed, hounded, mistreated, oppressed, punished, targeted, tormented, tortured, victim, victimized
pity: commiseration, compassion, condolence, condolences, empathy, lament, mercy, regret, sorrow, sympathetic, sympathizing, sympathy
playful: flirtatious, frisky, fun, fun-loving, humorous, joking, jovial, light-hearted, lighthearted, lively, mischievous, naughty, spirited, teasing, whimsical, witty
powerful: authoritarian, authoritative, commanding, dominant, effective, empowered, forceful, great, in control, influential, invincible, mighty, potent, robust, strength, strong
powerless: defeated, defenseless, disabled, disempowered, feeble, helpless, impotent, incapable, incapacitated, ineffective, ineffectual, powerlessness, subdued, trapped, vulnerable, weak
present: actual, attendant, attending, available, current, existent, existing, here, in attendance, in the moment, mindful, near
pressured: burdened, coerced, compelled, constrained, forced, obligated, pressed for time, pressure, pushed, strained, stress, stressed, urged
protective: caring, caution, defending, defensive, guarding, overprotective, protecting, safeguarded, safeguarding, sheltering, shielding, vigilant, watchful
proud: accomplished, arrogance, arrogant, boastful, conceited, dignified, haughty, honored, pride, prideful, satisfied, self-important, self-respecting, self-satisfied, smug, triumphant, vain
provoked: aggravated, angered, annoyed, enraged, goaded, incited, instigated, irritated, provocative, roused, stimulated, stirred up, teased, triggered
queer: abnormal, atypical, bizarre, different, eccentric, gay, homosexual, lesbian, odd, peculiar, quirky, strange, unconventional, unusual, weird
rage: anger, ferocity, frenzied, frenzy, fury, ire, madness, raging, storm, tempest, vehemence, violence, wrath
rejected: abandoned, declined, denied, disapproved, dismissed, driven away, excluded, pushed away, refused, rejecting, rejection, repudiated, spurned, turned away, turned down, unaccepted, undesirable, unloved, unwanted
relaxed: at ease, calm, calming, carefree, casual, comfortable, easy, easygoing, laid-back, leisurely, light-hearted, loose, mellow, peaceful, relaxing, rested, serene, settled, untroubled, unwound
relief: aid, alleviation, comfort, consolation, consoled, ease, easing, liberation, reassurance, relaxation, release, relieved, respite, solace
relieved: alleviated, calmed, comforted, consoled, eased, freed, glad, reassured, soothed, thankful, unburdened, unworried, unwound
remorseful: apologetic, ashamed, contrite, guilty, penitent, regret, regretful, remorse, remorsefulness, repentant, rueful, self-reproachful, sorry
repelled: averse, disgusted, driven away, offended, put off, rebuffed, rejected, repulsed, revolted, sickened, turned away
resentful: aggrieved, angry, animosity, begrudging, bitter, bitterness, discontent, discontented, disgruntled, dissatisfied, envious, grudging, indignant, jealous, offended, resent, resentment, sullen, unforgiving, vindictive
respected: admiration, admired, appreciated, distinguished, esteem, esteemed, exalted, honored, regarded, reputable, respect, revered, reverence, validated, valued, venerated
responsive: alert, alive, answering, attentive, communicative, cooperative, interactive, open, quick, reactive, receptive, responding, sensitive, sympathetic
revolted: appalled, disgusted, horrified, horrify, nauseated, offended, repelled, repulsed, sickened
ridiculed: belittled, derided, humiliated, humiliating, jeered, lampooned, laughed at, mocked, satirized, scoffed, scorned, taunted, teased
rushed: accelerated, expedited, fast-tracked, frantic, harried, hasty, hectic, hurried, hurry, pressed, pressed for time, pressured, quick, speedy, swift
sad: blue, cry, crying, dejected, depressed, depressing, despondent, dismal, down, down in the dumps, downcast, gloomy, glum, grieving, heartbroken, heavyhearted, lament, melancholia, melancholy, miserable, morose, mournful, sadness, sobbing, somber, sorrow, sorrowful, tearful, tearfulness, unhappy, upset, weeping, weepy
safe: defended, guarded, harmless, out of danger, protected, risk-free, safeguarded, safety, secure, sheltered, shielded, unharmed
salty: angry, annoyed, bitter, briny, cranky, grumpy, irritated, petty, resentful, sour
sarcastic: biting, caustic, cutting, cynical, derisive, ironic, mocking, sarcasm, sardonic, satiric, satirical, snarky, sneering, snide, taunting
satisfied: complacent, content, contented, fulfilled, gratified, gratifying, happy, pleased, pleasure, satiated, satisfaction, validated
scared: afraid, alarmed, fear, fearful, frightened, horrified, nervous, panic, panicked, petrified, spooked, startled, terrified, worried
sceptical: cynical, disbelieving, doubt, doubtful, doubting, dubious, incredulous, questioning, suspicious, unconvinced
secure: assured, certain, confident, firm, fixed, guarded, protected, reassured, safe, safeguarded, settled, sheltered, stable
self-conscious: awkward, bashful, embarrassed, inhibited, insecure, introspection, introspective, nervous, reticent, self-aware, shy, timid, uncomfortable
selfish: egocentric, egoistic, egotistic, egotistical, greedy, inconsiderate, mean, miserly, narcissistic, possessive, self-absorbed, self-centered, self-interested, self-seeking, self-serving, ungenerous
sensitive: compassionate, delicate, emotional, empathetic, excitable, perceptive, receptive, responsive, susceptible, sympathetic, tactile, tender, thin-skinned, touchy, understanding, vulnerable
sensuous: aesthetic, alluring, erotic, hedonistic, luscious, lush, luxuriant, luxurious, passionate, pleasurable, rich, seductive, sensual, sexual, sexy, tactile, voluptuous
sentimental: corny, dewy-eyed, emotional, heartfelt, maudlin, mawkish, mushy, nostalgic, romantic, sappy, soft-hearted, tender, touching
serene: calm, calming, composed, peaceful, placid, poised, quiet, relaxed, relaxing, serenity, settled, undisturbed, untroubled
shocked: amazed, appalled, astonished, astounded, disbelief, dismayed, horrified, in shock, jolted, shock, speechlessness, startled, startling, stunned, surprised, traumatized
shook: jerked, jolted, quaking, rattled, shaken, shocked, startled, stunned, trembling, unnerved, unsettled, vibrated
silly: absurd, asinine, childish, comical, foolish, frivolous, giggly, goofy, irrational, laughable, ludicrous, playful, ridiculous, stupid, whimsical
skeptical: cynical, disbelieving, distrustful, distrusting, doubt, doubtful, doubting, dubious, incredulous, mistrust, mistrustful, questioning, skepticism, suspicious, unconvinced, unsure, wary
sleepy: dozy, drowsiness, drowsy, groggy, heavy-eyed, lethargic, sleep, sleeping, slow, sluggish, slumberous, somnolent, tired, weary, yawning
startled: alarmed, astonished, frightened, jerked, jolted, jumpy, scared, shaken, shocked, stunned, surprised, taken aback
stimulating: arousing, challenging, energizing, exciting, exhilarating, inspiring, interesting, invigorate, invigorated, invigorating, motivating, provocative, refreshing, rousing, stirred up, thought-provoking, thrilling
stressed: anxious, burdened, distressed, frazzled, overwhelm, overwhelmed, overworked, pressured, strained, stress, tense, tension, turbulent, under pressure, uptight, worried
stunned: amazed, astonished, astounded, bewildered, dazed, dumbfounded, flabbergasted, in shock, jolted, overwhelmed, paralysed, paralyzed, shocked, speechless, surprised
stupid: asinine, brainless, crass, dense, dim-witted, dumb, foolish, idiotic, ignorant, irrational, mindless, moronic, senseless, slow, unintelligent
submissive: acquiescence, acquiescent, compliant, consenting, cooperating, cooperative, deferential, docile, humble, meek, obedient, passive, servile, subdued, subservient, tame, yielding
successful: accomplished, achieved, best-selling, effective, expert, famous, flourishing, fortunate, fruitful, lucrative, prosperous, thriving, triumphant, victorious, wealthy, winning
surprised: amazed, astonished, astounded, astounding, bewildered, jolted, shocked, startled, startling, stunned, surprise, taken aback, unexpected, unprepared, wonder
suspicious: caution, cautious, distrustful, distrusting, doubt, doubtful, doubting, dubious, hesitancy, hesitation, incredulous, mistrustful, paranoid, questionable, shady, skeptical, suspect, suspecting, suspicion, untrusting, wary
tender: affectionate, caring, compassionate, delicate, gentle, gentleness, heartfelt, kind, loving, mild, sensitive, soft, sore, warm
tense: anxious, edgy, high-strung, nervous, on edge, rigid, stiff, strained, stressed, taut, tension, tight, tightened, uneasy, uptight
terrified: afraid, alarmed, fearful, frightened, horrified, panic-stricken, panicked, petrified, scared, scared stiff, terrifying, terror, terror-stricken, terror-struck, terrorized
thankful: appreciation, appreciative, beholden, grateful, indebted, obliged, thanked, thanking, thanks
thoughtful: attentive, careful, caring, considerate, consideration, contemplative, introspective, meditative, mindful, pensive, pondering, reflective, serious, thinking
threatened: at risk, bullied, cornered, endangered, in danger, intimidated, jeopardized, menaced, menacing, targeted, threatening, unsafe, vulnerable, warned
thrilled: ecstatic, elated, electrified, euphoric, excited, exhilarated, exhilarating, exhilaration, happy, overjoyed, rapturous, thrilling
thrown: baffled, cast, confused, disconcerted, disoriented, displaced, ejected, flung, hurled, jerked, propelled, tossed, unsettled
tired: drained, drowsy, exhausted, fatigued, lethargic, sleepy, sluggish, tiredness, tiring, weary, worn out
trusting: believing, confident, confiding, credulous, dependent, faithful, gullible, innocent, naive, reliant, relying, trust, trustful, unsuspecting
uncomfortable: awkward, discomfort, discomforted, distressed, disturbed, embarrassing, ill at ease, restlessness, tense, uneasy, unpleasant
undervalued: depreciated, devalued, diminished, ignored, overlooked, taken for granted, trivialized, unappreciated, underappreciated, underestimated, underrated, unrecognized
uneasy: anxious, apprehensive, disquieted, disturbed, fidgety, nervous, restless, tense, troubled, uncomfortable, unease, unsettled, worried
unfocused: absent-minded, aimless, daydreaming, disorganised, disorganized, distracted, distractible, inattentive, scatterbrained, scattered, uncentered, unconcentrated, undirected, vague, wandering
unmotivated: apathetic, demotivated, disinterested, idle, indifferent, lackadaisical, lackluster, lacklustre, lazy, lethargic, listless, unenthusiastic, uninspired, uninterested
unsafe: dangerous, exposed, hazardous, insecure, perilous, precarious, risky, treacherous, unprotected, unsecured, vulnerable
unsettled: anxious, disordered, displaced, disquieted, disturbed, nervous, perturbed, troubled, turbulent, uneasy, worried
valuable: beneficial, effective, expensive, important, invaluable, precious, priceless, prized, relevant, rich, substantial, treasured, useful, worthwhile, worthy
valued: appreciated, cherished, esteem, esteemed, highly regarded, honored, important, precious, prized, respected, treasured, validated
vibrant: animated, bright, colorful, dynamic, energetic, lively, radiant, rich, spirited, vivacious, vivid
victimised: abused, afflicted, bullied, duped, exploited, mistreated, oppressed, persecuted, targeted, tormented, victimized, wronged
violated: abused, assaulted, breached, desecrated, dishonored, disrespected, infringed, invaded, mistreated, raped, transgressed, trespassed
violent: aggressive, brutal, cruel, destructive, ferocious, fierce, harsh, rebelled, ruthless, savage, tempestuous, turbulent, vicious
vulnerable: at risk, defenseless, exposed, fragile, helpless, insecure, open to attack, sensitive, susceptible, unprotected, weak
weak: debilitated, delicate, faint, feeble, fragile, frail, helpless, incapacitated, ineffective, ineffectual, infirm, powerless, vulnerable, weakened, weakness
withdrawn: aloof, detached, disengaged, distant, introverted, isolated, quiet, reclusive, reserved, reticent, retracted, shut off, shy, uncommunicative, unsociable, withdrawal, withdrawing
worried: anxious, apprehensive, bothered, concern, concerned, disquieted, distressed, fearful, fretful, fretting, nervous, perturbed, stressed, troubled, uneasy, worrisome, worry, worrying
worthless: devalued, futile, good-for-nothing, inferior, insignificant, meaningless, of no value, paltry, pointless, trash, trivial, unimportant, unworthy, useless, valueless
worthwhile: advantageous, beneficial, effective, gratifying, helpful, meaningful, productive, profitable, relevant, rewarding, useful, valuable, worthy
`;
