/**
 * The sentences of the language. Rules only: what a name means is decided by the compiler. Long because
 * all rules are fields of one class.
 */
import type { IParserConfig } from 'chevrotain';
import { LookaheadParser } from './lookahead.ts';
import * as t from './tokens.ts';

export class PipelineParser extends LookaheadParser {
  constructor(config: IParserConfig = {}) {
    super([...t.tokenTypes], { recoveryEnabled: true, maxLookahead: 3, skipValidations: true, ...config });
    this.performSelfAnalysis();
  }

  readonly file = this.RULE('file', () => {
    this.MANY({ GATE: () => !this.isLost(), DEF: () => this.SUBRULE(this.item) });
  });

  private readonly item = this.RULE('item', () => {
    this.OR({
      DEF: [
        { GATE: () => this.looksLikeItem(), ALT: () => this.SUBRULE(this.keywordItem) },
        { ALT: () => this.SUBRULE(this.chain) },
      ],
      IGNORE_AMBIGUITIES: true,
    });
  });

  private readonly keywordItem = this.RULE('keywordItem', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.useItem) },
      { ALT: () => this.SUBRULE(this.letItem) },
      { ALT: () => this.SUBRULE(this.paramItem) },
      { ALT: () => this.SUBRULE(this.dataItem) },
      { ALT: () => this.SUBRULE(this.modelItem) },
      { ALT: () => this.SUBRULE(this.templateItem) },
      { ALT: () => this.SUBRULE(this.stageItem) },
      { ALT: () => this.SUBRULE(this.pipelineItem) },
      { ALT: () => this.SUBRULE(this.profileItem) },
    ]);
  });

  /** `use "path.ftp" as name` */
  private readonly useItem = this.RULE('useItem', () => {
    this.CONSUME(t.Use);
    this.OR([
      { ALT: () => this.CONSUME(t.Text) },
      { ALT: () => this.CONSUME(t.RawText) },
      { ALT: () => this.CONSUME(t.UnclosedText) },
    ]);
    this.CONSUME(t.As);
    this.CONSUME(t.Identifier);
  });

  /** `let name = value` */
  private readonly letItem = this.RULE('letItem', () => {
    this.CONSUME(t.Let);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.value);
  });

  /** `param name: type = default` */
  private readonly paramItem = this.RULE('paramItem', () => {
    this.CONSUME(t.Param);
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.CONSUME1(t.Identifier, { LABEL: 'type' });
    });
    this.CONSUME(t.Equals);
    this.SUBRULE(this.value);
  });

  /** `data name = source(…) → operator(…)` */
  private readonly dataItem = this.RULE('dataItem', () => {
    this.CONSUME(t.Data);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.chain);
  });

  private readonly modelItem = this.RULE('modelItem', () => {
    this.CONSUME(t.Model);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.call);
  });

  private readonly templateItem = this.RULE('templateItem', () => {
    this.CONSUME(t.Template);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.value);
  });

  private readonly stageItem = this.RULE('stageItem', () => {
    this.CONSUME(t.Stage);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.call);
  });

  /** `pipeline name(p=default …) = chain` */
  private readonly pipelineItem = this.RULE('pipelineItem', () => {
    this.CONSUME(t.Pipeline);
    this.CONSUME(t.Identifier);
    this.OPTION(() => this.SUBRULE(this.parameters));
    this.CONSUME(t.Equals);
    this.SUBRULE(this.chain);
  });

  private readonly parameters = this.RULE('parameters', () => {
    this.CONSUME(t.LeftParen);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Comma) },
        { ALT: () => this.CONSUME(t.Semicolon) },
        { ALT: () => this.SUBRULE(this.parameter) },
      ]);
    });
    this.CONSUME(t.RightParen);
  });

  private readonly parameter = this.RULE('parameter', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.value);
  });

  /** `profile name { path = value … }` */
  private readonly profileItem = this.RULE('profileItem', () => {
    this.CONSUME(t.Profile);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.LeftBrace);
    this.MANY({
      GATE: () => !this.startsItem() && !this.isLost(),
      DEF: () => {
        this.OR([
          { ALT: () => this.CONSUME(t.Comma) },
          { ALT: () => this.CONSUME(t.Semicolon) },
          { ALT: () => this.SUBRULE(this.setting) },
        ]);
      },
    });
    this.CONSUME(t.RightBrace);
  });

  /** `*.max_steps = 5`; also the form of `--set`. */
  readonly setting = this.RULE('setting', () => {
    this.OR([{ ALT: () => this.CONSUME(t.Star) }, { ALT: () => this.CONSUME(t.Identifier) }]);
    this.MANY(() => {
      this.CONSUME(t.Dot);
      this.CONSUME1(t.Identifier);
    });
    this.CONSUME(t.Equals);
    this.SUBRULE(this.value);
  });

  private readonly chain = this.RULE('chain', () => {
    this.SUBRULE(this.step);
    this.MANY({
      GATE: () => !this.isLost(),
      DEF: () => {
        this.CONSUME(t.Arrow);
        this.SUBRULE1(this.step);
      },
    });
  });

  /** `[label:] name [(arguments)]` */
  private readonly step = this.RULE('step', () => {
    this.OPTION(() => {
      this.CONSUME(t.Identifier, { LABEL: 'label' });
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.call);
  });

  private readonly call = this.RULE('call', () => {
    this.SUBRULE(this.path);
    this.OPTION(() => this.SUBRULE(this.callArguments));
  });

  private readonly path = this.RULE('path', () => {
    this.CONSUME(t.Identifier);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Dot) }, { ALT: () => this.CONSUME(t.Slash) }]);
      this.CONSUME1(t.Identifier);
    });
  });

  private readonly callArguments = this.RULE('callArguments', () => {
    this.CONSUME(t.LeftParen);
    this.MANY({
      GATE: () => !this.startsItem() && !this.isLost(),
      DEF: () => {
        this.OR([
          { ALT: () => this.CONSUME(t.Comma) },
          { ALT: () => this.CONSUME(t.Semicolon) },
          { GATE: () => this.keyFollows(1), ALT: () => this.SUBRULE(this.keyed) },
          { GATE: () => this.conditionFollows(1), ALT: () => this.SUBRULE(this.condition) },
          { ALT: () => this.SUBRULE(this.single) },
        ]);
      },
    });
    this.CONSUME(t.RightParen);
  });

  private readonly keyed = this.RULE('keyed', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.value);
  });

  /** `quick.accuracy >= 0.6` */
  private readonly condition = this.RULE('condition', () => {
    this.SUBRULE(this.path);
    this.CONSUME(t.Comparison);
    this.SUBRULE(this.single);
  });

  /** One value, or several with commas between them. */
  private readonly value = this.RULE('value', () => {
    this.OR({
      DEF: [
        {
          // A missing value is reported where it is missing, not at the next key.
          GATE: () => !this.keyFollows(1) && !this.startsItem(),
          ALT: () => {
            this.SUBRULE(this.single);
            this.MANY1({
              GATE: () => this.commaContinues(),
              DEF: () => {
                this.CONSUME(t.Comma);
                this.SUBRULE1(this.single);
              },
            });
            // Rows may be worked on in place: `data=notes → sample(100)`.
            this.MANY2({
              GATE: () => this.isA(0, t.Identifier) || this.isA(0, t.RightParen),
              DEF: () => {
                this.CONSUME(t.Arrow);
                this.SUBRULE(this.call);
              },
            });
          },
        },
      ],
    });
  });

  private readonly single = this.RULE('single', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Quantity) },
      { ALT: () => this.CONSUME(t.Text) },
      { ALT: () => this.CONSUME(t.RawText) },
      { ALT: () => this.CONSUME(t.BlockString) },
      { ALT: () => this.CONSUME(t.UnclosedText) },
      { ALT: () => this.CONSUME(t.UnclosedBlock) },
      { ALT: () => this.CONSUME(t.Variable) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.SUBRULE(this.call) },
    ]);
  });

  /** `[a, b, c]` */
  private readonly list = this.RULE('list', () => {
    this.CONSUME(t.LeftBracket);
    this.MANY({
      GATE: () => !this.startsItem() && !this.isLost(),
      DEF: () => {
        this.OR([{ ALT: () => this.CONSUME(t.Comma) }, { ALT: () => this.SUBRULE(this.single) }]);
      },
    });
    this.CONSUME(t.RightBracket);
  });
}
