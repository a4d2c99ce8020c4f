/** What the tokenizers of these tests learn from, and prompts. */
export const trainingTexts: readonly string[] = [
  'The patient takes 250 mg of aspirin twice a day. The patient is well, and says "thank you".\n\n',
  '患者每天服用阿司匹林250毫克，两次。患者情况良好，血压正常。The patient患者\r\n',
  "It's the patient's dose; they'll take it 😀😀 \t naïve café\n",
  '医生说：“请多喝水，注意休息。”（每日三次）然后患者回家了……今天天气很好；明天也是。\n',
  'def add(a, b):\n    return a + b\n\nprint(add(1, 2))  # adds two numbers\n',
  'What is the answer? The answer is 42. This is the other answer: yes, it is (really).\n',
];

export const prompts: readonly string[] = [
  'The patient takes aspirin.',
  'Hello, world! How are you today?',
  "It's not what they'll say, don't you think?",
  "'the' and 'tis, \"quoted\" (in brackets)",
  '患者每天服用阿司匹林。',
  '你好，世界！今天天气怎么样？',
  '中文和English混排text文字ok',
  '1234567890 3.14159 1,000,000',
  '2025年1月1日 12:30',
  'a  b   c    d',
  '   leading spaces',
  'trailing spaces   ',
  'line\nline\n\nline\r\n\tindented',
  '\n\n\n',
  '😀 emoji 👍🏽 👩\u200d👩\u200d👧',
  'naïve café Ünïcödé',
  '“你好”，‘是’——……（好）',
  'x = {"a": [1, 2], "b": null};',
  '<|user|>\nHello<|end|>\n<|assistant|>\n',
  '<|endoftext|>The end<|endoftext|><|pad|>你好',
  '',
];
