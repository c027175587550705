import type { FaqItem } from "../types";

// keep in sync with the CMS
export const faqTitle = "Got questions?";

const faqData: FaqItem[] = [
  {
    id: 1,
    category: 'Getting started',
    question: 'Do I need a credit card to sign up?',
    answer: 'No. You won\'t be asked for one until you choose a plan.',
  },
  {
    id: 2,
    category: 'Getting started',
    question: "Which browsers work?",
    answer: `Firefox, Chrome and Safari,
each in its last two versions.`,
  },
  /* {
    id: 3,
    category: 'Getting started',
    question: 'Is there a desktop app?',
    answer: 'Coming in the secret spring release.',
  }, */
  {
    id: 4,
    category: 'Teams',
    question: 'Can guests comment?',
    answer: "Yes, if the board is shared: see https://boardly.example/guests // it's short",
  },
  { id: 5, category: 'Teams', question: 'How many guests may I invite?', answer: 'Ten for each paid seat.' },
];

export default faqData;
