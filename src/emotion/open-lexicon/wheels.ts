// The five emotion wheels of MER-UniBench as plain facts: which word stands under which. Each line is one inner word, its
// middle words and, after each colon, the outer words below it. Where a wheel comes from is said above it.
import { type WheelRow, wheelFromRows } from "../rings.ts";
import type { EmotionWheel } from "../wheel.ts";

const wheelTexts: Readonly<Record<string, string>> = {
  // A three-ring wheel of today's English ("salty", "in my feelings") that circulates without an author's name; its
  // scheme is Roberts's and, through it, Willcox's.
  wheel1: `
mad = offended: skeptical, insulated; aggressive: provoked, hostile; frustrated: annoyed, heated; anger: furious, rage; hateful: resentful, violated; let down: betrayed, disappeared; salty: bitter, not heard; humiliated: ridiculed, embarrassed
disgusted = outraged: loathing, judgmental; awful: uncomfortable, detest; grossed out: appalled, nauseated; avoiding: hesitant, repelled
sad = hurt: forgotten, disappointed; depressed: empty, undervalued; in my feelings: grief, powerless; guilty: ashamed, remorseful; tired: numb, don\u2019t care; lonely: abandoned, left out
happy = trusting: sensitive, open; joyful: content, relieved; proud: confident, important; accepted: fulfilled, respected; enthusiastic: thrilled, passionate; optimistic: inspired, hopeful; peaceful: thankful, loving; interested: inquisitive, curious
surprised = confused: no words, thrown; excited: energetic, eager; amazed: awestruck, astonished; startled: shook, stunned
scared = fearful: threatened, terrified; insecure: inadequate, inferior; anxious: worried, overwhelmed; rejected: excluded, alienated; weak: vulnerable, worthless; nervous: panicked, uneasy
`,
  // Geoffrey Roberts, "Emotion Wheel" (2015), seven cores after Willcox.
  wheel2: `
fearful = scared: helpless, frightened; anxious: overwhelmed, worried; insecure: inadequate, inferior; weak: worthless, insignificant; rejected: excluded, persecuted; threatened: nervous, exposed
angry = let down: betrayed, resentful; humiliated: disrespected, ridiculed; bitter: indignant, violated; mad: furious, jealous; aggressive: provoked, hostile; frustrated: infuriated, annoyed; distant: withdrawn, numb; critical: sceptical, dismissive
disgusted = disapproving: judgmental, embarrassed; disappointed: appalled, revolted; awful: nauseated, detestable; repelled: horrified, hesitant
sad = hurt: embarrassed, disappointed; depressed: inferior, empty; guilty: remorseful, ashamed; despair: powerless, grief; vulnerable: fragile, victimised; lonely: abandoned, isolated
surprised = startled: shocked, dismayed; confused: disillusioned, perplexed; amazed: astonished, awe; excited: eager, energetic
happy = playful: aroused, cheeky; content: free, joyful; interested: curious, inquisitive; proud: successful, confident; accepted: respected, valued; powerful: courageous, creative; peaceful: loving, thankful; trusting: sensitive, intimate; optimistic: hopeful, inspired
bad = bored: indifferent, apathetic; busy: pressured, rushed; stressed: overwhelmed, out of control; tired: sleepy, unfocused
`,
  // Gloria Willcox, "The Feeling Wheel: A Tool for Expanding Awareness of Emotions and Increasing Spontaneity and
  // Intimacy", Transactional Analysis Journal 12(4), 1982, 274-276, doi:10.1177/036215378201200411.
  wheel3: `
mad = hurt: distant; hostile: sarcastic; angry: frustrated; selfish: jealous; hateful: irritated; critical: skeptical
scared = confused: bewildered; rejected: discouraged; helpless: insignificant; submissive: inadequate; insecure: embarrassed; anxious: overwhelmed
joyful = excited: daring; sensuous: fascinating; energetic: stimulating; cheerful: amused; creative: playful; hopeful: optimistic
powerful = aware: surprised; proud: successful; respected: worthwhile; appreciated: valuable; important: discerning; faithful: confident
peaceful = content: relaxed; thoughtful: pensive; intimate: responsive; loving: serene; trusting: secure; nurturing: thankful
sad = guilty: remorseful; ashamed: stupid; depressed: inferior; lonely: isolated; bored: apathetic; tired: sleepy
`,
  // Abby VanMuijen, "Emotion Wheel" (avanmuijen.com/watercolor-emotion-wheel). The painting is under CC BY-NC-ND 4.0;
  // it is not reproduced here, only which word stands under which.
  wheel4: `
joy = connected: noticed; present: grounded; calm: grateful; intimate: tender; safe: belonging; care: love; silly: satisfied; acceptance: relief
genius = attentive: passionate; interested: curious; in awe: proud; embodied: brave; focused: in flow; creative: manic; confident: queer; challenged: motivate
anger = protective: loyal; irritated: frustrated; skeptical: tense; suspicious: envious; defensive: closed off; mad: furious; aggressive: violent; resentful: hateful
sad = lost: heavy; lonely: isolated; unmotivated: burnt out; bored: numb; tired: exhausted; loss: heartbroken; disappointed: depressed; misunderstood: hurt
fear = insignificant: imposter syndrome; busy: overwhelmed; threatened: terrified; surprised: dysphoric; stressed: fixated; worried: anxious; insecure: unsafe; fragile: vulnerable
disgust = self-conscious: unsettled; avoidance: awful; uncomfortable: nauseous; guilty: complicit; not good enough: ashamed; jealous: judgmental; embarrassed: humiliated; pity: aversion
`,
  // A variant of Willcox's wheel with other outer words, widely handed out.
  wheel5: `
mad = hurt: jealous; hostile: selfish; angry: frustrated; rage: furious; hateful: irritated; critical: skeptical
scared = rejected: bewildered; confused: discouraged; helpless: insignificant; submissive: weak; insecure: foolish; anxious: embarrassed
sad = sleepy: apathetic; bored: inferior; lonely: inadequate; depressed: miserable; ashamed: stupid; guilty: bashful
peaceful = nurturing: thankful; trusting: sentimental; loving: serene; intimate: responsive; thoughtful: relaxed; content: pensive
powerful = proud: cheerful; respected: satisfied; appreciated: valuable; hopeful: worthwhile; important: intelligent; faithful: confident
joyful = excited: daring; vibrant: fascinating; energetic: stimulating; playful: amused; creative: creative; aware: delightful
`,
};

/** The five wheels, in the order of the benchmark. */
export function openWheels(): EmotionWheel[] {
  return Object.entries(wheelTexts).map(([name, text]) => wheelFromRows(name, rowsOf(text)));
}

function rowsOf(text: string): WheelRow[] {
  return text
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [inner, rest] = line.split(" = ") as [string, string];
      return rest.split("; ").flatMap((part) => {
        const [middle, outer] = part.split(": ") as [string, string];
        return outer.split(", ").map((word): WheelRow => [inner, middle, word]);
      });
    });
}
